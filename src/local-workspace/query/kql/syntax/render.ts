import { nearest } from '../../../../nearest.ts';
import { syntaxProblem, type Word } from '../problem.ts';
import { type Cursor, isWord } from './cursor.ts';
import type { Operator } from './tree.ts';

// Kusto, "render operator".
const VISUALIZATIONS: readonly string[] = [
  ...['table', 'list', 'card', 'timechart', 'linechart', 'barchart', 'columnchart', 'piechart', 'areachart', 'stackedareachart', 'scatterchart'],
  ...['anomalychart', 'ladderchart', 'pivotchart', 'timepivot', 'timeline', 'treemap', 'plotly', 'graph', 'sankey', '3Dchart'],
];

/** `render timechart [with (title='…', kind=stacked)]`. */
export function readRender(cursor: Cursor, word: Word): Operator {
  const { offset, text } = cursor.next();
  if (!VISUALIZATIONS.includes(text)) {
    const meant = nearest(text, VISUALIZATIONS);
    throw syntaxProblem({ offset, text }, `render has no visualization ${text}; ${meant ? `did you mean ${meant}?` : `there is ${VISUALIZATIONS.join(', ')}`}`);
  }
  return { kind: 'render', word, visualization: text, properties: cursor.take('with') ? readBracketed(cursor) : readProperties(cursor) };
}

function readBracketed(cursor: Cursor): Record<string, string | number | boolean> {
  cursor.expect('(', 'with');
  const properties = readProperties(cursor);
  cursor.expect(')', 'with (');
  return properties;
}

function readProperties(cursor: Cursor): Record<string, string | number | boolean> {
  const properties: [string, string | number | boolean][] = [];
  while (cursor.peek().kind === 'name' && isWord(cursor.peek(1), '=')) {
    const name = cursor.next().text;
    cursor.next();
    properties.push([name, readProperty(cursor)]);
    cursor.take(',');
  }
  return Object.fromEntries(properties);
}

function readProperty(cursor: Cursor): string | number | boolean {
  const minus = cursor.take('-') ? -1 : 1;
  const token = cursor.next();
  if (token.kind === 'string') return token.value;
  if (token.kind === 'number') return minus * token.value;
  if (token.kind !== 'name') throw syntaxProblem(token, 'a property of render has a word, a text or a number');
  return token.text === 'true' || token.text === 'false' ? token.text === 'true' : token.text;
}
