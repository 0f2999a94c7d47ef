import type { QueryRefusal, QueryResult } from './query-answer.ts';
import { drawChart } from './query-chart.ts';
import { queryCsv } from './query-csv.ts';
import { seriesOf } from './query-series.ts';
import { queryTable } from './query-table.ts';

export const QUERY_FORMATS = ['table', 'csv', 'json'] as const;

export interface Wanted {
  /** Undefined: a table, or the chart that the query asks for. */
  readonly format: (typeof QUERY_FORMATS)[number] | undefined;
  readonly chart: boolean;
  readonly ascii: boolean;
}

/** Where the output goes. */
export interface Terminal {
  readonly isTerminal: boolean;
  readonly columns: number;
}

/** What is written: the answer, ready to go out as it is, and what is to be told beside it. */
export interface Written {
  readonly text: string;
  readonly notes: readonly string[];
}

/** An answer in the form that was asked for. A chart that cannot be drawn is a table, and a note says why. */
export function queryOutput(result: QueryResult, wanted: Wanted, terminal: Terminal): Written {
  const notes = result.partial === undefined ? [] : [result.partial];
  const width = terminal.isTerminal ? terminal.columns : undefined;
  if (wanted.format === 'json') return { text: `${JSON.stringify(objectsOf(result))}\n`, notes };
  if (wanted.format === 'csv') return { text: terminal.isTerminal ? harmless(queryCsv(result)) : queryCsv(result), notes };
  const asTable = { text: `${result.rows.length === 0 ? 'No rows.' : queryTable(result, width)}\n`, notes };
  if (!wanted.chart && (wanted.format !== undefined || !terminal.isTerminal || result.render?.visualization !== 'timechart')) return asTable;
  const series = seriesOf(result);
  if (!series.ok) return { ...asTable, notes: [...notes, series.problem] };
  return { text: `${drawChart(series.value, { columns: terminal.columns, ascii: wanted.ascii }).join('\n')}\n`, notes };
}

function objectsOf({ columns, rows }: QueryResult): unknown[] {
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at] ?? null])));
}

// What is in the data must not reach a terminal as a command.
function harmless(text: string): string {
  return text.replaceAll(/[^\P{Cc}\r\n]/gu, ' ');
}

/** The line of the query that a refusal is about, with a mark under the word; undefined when it names none. */
export function markedLine(text: string, { at }: QueryRefusal): string | undefined {
  const line = at && text.split('\n')[at.line - 1];
  if (!at || line === undefined) return undefined;
  // Only as much as fits most terminals, the word in the middle.
  const begin = Math.max(0, at.pos - 60);
  const shown = harmless(line.slice(begin, at.pos + 60)).replaceAll(/[\r\n]/g, ' ');
  return `  ${shown}\n  ${' '.repeat(at.pos - begin)}^`;
}
