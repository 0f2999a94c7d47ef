import { nearest } from '../../../../nearest.ts';
import { syntaxProblem, type Word } from '../problem.ts';
import { type Cursor, readList } from './cursor.ts';
import { readNamedList, readPattern, readSortKey, readValue } from './items.ts';
import { readJoin } from './join.ts';
import { readRender } from './render.ts';
import type { Named, Operator, Source } from './tree.ts';
import { readUnion } from './union.ts';
import { UNSUPPORTED_OPERATORS } from './unsupported.ts';

type Read = (cursor: Cursor, word: Word, readSource: () => Source) => Operator;

const OPERATORS: Readonly<Record<string, Read>> = {
  where: readWhere,
  filter: readWhere,
  project: (cursor, word) => ({ kind: 'project', word, items: readNamedList(cursor) }),
  extend: (cursor, word) => ({ kind: 'extend', word, items: readNamedList(cursor) }),
  'project-away': (cursor, word) => ({ kind: 'project-away', word, patterns: readList(cursor, () => readPattern(cursor)) }),
  'project-keep': (cursor, word) => ({ kind: 'project-keep', word, patterns: readList(cursor, () => readPattern(cursor)) }),
  'project-rename': (cursor, word) => ({ kind: 'project-rename', word, pairs: readList(cursor, () => readRename(cursor)) }),
  summarize: readSummarize,
  sort: readSort,
  order: readSort,
  take: readTake,
  limit: readTake,
  top: readTop,
  distinct: (cursor, word) => ({ kind: 'distinct', word, items: readNamedList(cursor) }),
  count: readCount,
  join: readJoin,
  union: (cursor, word, readSource) => ({ kind: 'union', word, union: readUnion(cursor, word, readSource) }),
  getschema: (_, word) => ({ kind: 'getschema', word }),
  render: readRender,
};

export const OPERATOR_NAMES: readonly string[] = Object.keys(OPERATORS);

/** What follows a pipe. `readSource` reads the right side of a join or union. */
export function readOperator(cursor: Cursor, readSource: () => Source): Operator {
  const word = readOperatorName(cursor);
  const read = Object.hasOwn(OPERATORS, word.text) ? OPERATORS[word.text] : undefined;
  if (read) return read(cursor, word, readSource);
  if (word.text === '') throw syntaxProblem(word, 'an operator should follow the pipe, such as where, summarize or take');
  if (UNSUPPORTED_OPERATORS.has(word.text))
    throw syntaxProblem(word, `the operator ${word.text} of Kusto is not supported here; there is ${OPERATOR_NAMES.join(', ')}`);
  const meant = nearest(word.text, OPERATOR_NAMES);
  throw syntaxProblem(word, `there is no operator ${word.text} here; ${meant ? `did you mean ${meant}?` : `there is ${OPERATOR_NAMES.join(', ')}`}`);
}

// `project-away` is three words to the lexer.
function readOperatorName(cursor: Cursor): Word {
  const { offset, text, kind, end } = cursor.next();
  const [dash, rest] = [cursor.peek(), cursor.peek(1)];
  if (kind === 'name' && dash.text === '-' && dash.offset === end && rest.kind === 'name' && rest.offset === dash.end) {
    cursor.next();
    cursor.next();
    return { offset, text: `${text}-${rest.text}` };
  }
  return { offset, text };
}

function readWhere(cursor: Cursor, word: Word): Operator {
  return { kind: 'where', word, predicate: readValue(cursor) };
}

function readRename(cursor: Cursor): { to: Word; from: Word } {
  const to = cursor.name('the new name');
  cursor.expect('=', 'project-rename');
  return { to, from: cursor.name('the old name') };
}

function readSummarize(cursor: Cursor, word: Word): Operator {
  const aggregates: Named[] = cursor.at('by') ? [] : readNamedList(cursor);
  const by = cursor.take('by') ? readNamedList(cursor) : [];
  return { kind: 'summarize', word, aggregates, by };
}

function readSort(cursor: Cursor, word: Word): Operator {
  cursor.expect('by', word.text);
  return { kind: 'sort', word, keys: readList(cursor, () => readSortKey(cursor)) };
}

function readTake(cursor: Cursor, word: Word): Operator {
  return { kind: 'take', word, count: readValue(cursor) };
}

function readTop(cursor: Cursor, word: Word): Operator {
  const count = readValue(cursor);
  cursor.expect('by', 'top');
  return { kind: 'top', word, count, keys: [readSortKey(cursor)] };
}

function readCount(cursor: Cursor, word: Word): Operator {
  return { kind: 'count', word, name: cursor.take('as') ? cursor.name('the name after as').text : 'Count' };
}
