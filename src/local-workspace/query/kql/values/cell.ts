import type { ColumnType } from '../../../tables/column.ts';

/**
 * One value inside a query. Numbers, truth values (0, 1), times and spans of time (milliseconds) are numbers, NaN for null;
 * texts, GUIDs and the JSON of dynamic values are strings, `null` for null. A string is never null: it is empty.
 */
export type Cell = number | string | null;

const TEXT_TYPES: ReadonlySet<ColumnType> = new Set(['string', 'guid', 'dynamic']);
const NUMBER_TYPES: ReadonlySet<ColumnType> = new Set(['int', 'long', 'real']);

export type TextType = 'string' | 'guid' | 'dynamic';
export type NumberType = Exclude<ColumnType, TextType>;

export function isTextType(type: ColumnType): type is TextType {
  return TEXT_TYPES.has(type);
}

export function isNumeric(type: ColumnType): type is 'int' | 'long' | 'real' {
  return NUMBER_TYPES.has(type);
}

/** The null of a type; a string's is the empty text (Kusto, "Null values"). */
export function nullOf(type: ColumnType): Cell {
  if (type === 'string') return '';
  return isTextType(type) ? null : Number.NaN;
}

export function isNull(cell: Cell): boolean {
  return cell === null || Number.isNaN(cell);
}

/** The one type that all of these go into, or nothing: equal types, or numbers (the widest), or dynamic with anything. */
export function commonType(types: readonly ColumnType[]): ColumnType | undefined {
  const distinct = [...new Set(types)];
  if (distinct.length === 1) return distinct[0];
  if (distinct.every(isNumeric)) return distinct.includes('real') ? 'real' : 'long';
  return distinct.includes('dynamic') ? 'dynamic' : undefined;
}
