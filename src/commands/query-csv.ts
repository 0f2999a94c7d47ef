import { cellText, type QueryResult } from './query-answer.ts';

const LINE_END = '\r\n';
const NEEDS_QUOTES = /[",\r\n]/;

/**
 * The rows as CSV (RFC 4180): a line of names, then a line for each row. Null is empty.
 *
 * A cell that begins with `=`, `+`, `-` or `@` stays as it is, though a spreadsheet may take it for a formula: what reads this back gets the very text
 * that was logged, and a sign of our own ahead of it would make `-5` a text and a false record. Import such a file as text.
 */
export function queryCsv({ columns, rows }: QueryResult): string {
  if (columns.length === 0) return '';
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map((_, at) => cellText(row[at])))];
  return lines.map((cells) => lineOf(cells) + LINE_END).join('');
}

function lineOf(cells: readonly string[]): string {
  // One empty cell alone would be an empty line, which readers pass over.
  if (cells.length === 1 && cells[0] === '') return '""';
  return cells.map((cell) => (NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}
