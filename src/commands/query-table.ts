import { type Column, tableOf } from '../table.ts';
import { cellText, type QueryResult } from './query-answer.ts';

const GAP = 2;
/** No column is made narrower than this. */
const LEAST_WIDTH = 4;

/** The rows as a table; with a width, as wide as that: the widest columns are cut first. */
export function queryTable({ columns, rows }: QueryResult, width?: number): string {
  const texts = rows.map((row) => columns.map((_, at) => oneLine(cellText(row[at]))));
  const most = width === undefined ? Number.POSITIVE_INFINITY : widestColumn(naturalWidths(columns, texts), width - GAP * (columns.length - 1));
  const shown: Column<readonly string[]>[] = columns.map(({ name }, at) => [cut(name, most), (row) => cut(row[at] ?? '', most)]);
  const lines = tableOf(texts, shown).split('\n');
  return lines.map((line) => cut(line, width ?? Number.POSITIVE_INFINITY)).join('\n');
}

function naturalWidths(columns: QueryResult['columns'], texts: readonly (readonly string[])[]): number[] {
  return columns.map(({ name }, at) => texts.reduce((widest, row) => Math.max(widest, lengthOf(row[at] ?? '')), lengthOf(name)));
}

/** The width at which columns are cut so that all of them fit: what narrow ones leave, wide ones share. */
export function widestColumn(widths: readonly number[], room: number): number {
  let left = room;
  for (const [at, width] of [...widths].sort((a, b) => a - b).entries()) {
    const share = left / (widths.length - at);
    if (width > share) return Math.max(LEAST_WIDTH, Math.floor(share));
    left -= width;
  }
  return Number.POSITIVE_INFINITY;
}

/** A text of at most so many characters; one that is longer ends in `…`. */
export function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 1)).join('')}…`;
}

// Also keeps what is in the data from reaching a terminal as a command.
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

function lengthOf(text: string): number {
  return [...text].length;
}
