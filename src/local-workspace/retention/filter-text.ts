/** A purge's filter as people type it, in the manner of the query language. Pure. */
import { PURGE_OPERATORS, type PurgeFilter, type PurgeOperator } from './purge-request.ts';

const FILTER =
  /^\s*([\p{L}_$][\p{L}\p{N}_]*)\s*(?:\[\s*(?:"([^"]+)"|'([^']+)'|([^\]"']+?))\s*\])?\s*(==|=~|>=|<=|>|<|in~|in(?=[\s(])|between(?=[\s(]))\s*(\S.*?)\s*$/su;
const QUOTED = /^(?:"([^"]*)"|'([^']*)')$/su;
const LISTED = /^\((.*)\)$/su;
const ITEM = /\s*("[^"]*"|'[^']*'|[^,"']+?)\s*(?:,|$)/suy;

/** How filters are written, for messages. */
export const FILTER_FORMS =
  'Column == value, Column =~ value, Column in (a, b), Column in~ (a, b), Column > value (>=, <, <=), Column between (a .. b), Dynamic[key] == value; values with spaces or commas in quotes';

/** Reads `Column == value` and its like; undefined when it is not of one of the forms. Values stay texts: the column's type says what they mean. */
export function readFilterText(text: string): PurgeFilter | undefined {
  const [, column, double, single, bare, operator, rest] = FILTER.exec(text) ?? [];
  if (column === undefined || rest === undefined || !isOperator(operator)) return undefined;
  const value = valueFrom(operator, rest);
  const key = double ?? single ?? bare;
  return value === undefined ? undefined : { column, operator, value, ...(key === undefined ? {} : { key }) };
}

function isOperator(text: string | undefined): text is PurgeOperator {
  return PURGE_OPERATORS.some((operator) => operator === text);
}

function valueFrom(operator: PurgeOperator, text: string): string | string[] | undefined {
  if (operator === 'between') return rangeOf(LISTED.exec(text)?.[1]);
  if (operator === 'in' || operator === 'in~') return listOf(LISTED.exec(text)?.[1]);
  return unquoted(text);
}

function rangeOf(inner: string | undefined): string[] | undefined {
  const ends = inner?.split('..').map((end) => unquoted(end.trim())) ?? [];
  return ends.length === 2 && ends.every((end) => end !== undefined && end !== '') ? (ends as string[]) : undefined;
}

function listOf(inner: string | undefined): string[] | undefined {
  if (inner === undefined || inner.trim() === '') return undefined;
  const items: string[] = [];
  ITEM.lastIndex = 0;
  while (ITEM.lastIndex < inner.length) {
    const [, item] = ITEM.exec(inner) ?? [];
    const value = item === undefined ? undefined : unquoted(item);
    if (value === undefined) return undefined;
    items.push(value);
  }
  return items;
}

/** A text without the quotes around it; undefined when quotes are left open. */
function unquoted(text: string): string | undefined {
  const quoted = QUOTED.exec(text);
  if (quoted) return quoted[1] ?? quoted[2];
  return /^["']/.test(text) ? undefined : text;
}
