/** Which type a sender's value has, and what a column keeps of it. */

import { readTime, toCell } from '../intake/ingestion/cell.ts';
import type { ColumnType } from '../tables/column.ts';
import { readExactTime } from './exact-time.ts';

const GUID = /^\{?([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\}?$/i;
// What the Data Collector API takes for a time: YYYY-MM-DDThh:mm:ssZ, with or without a fraction.
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** The type under which a custom log keeps a value; undefined for null (Data Collector API: "Record type and properties"). */
export function customTypeOf(value: unknown): ColumnType | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return 'real';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value !== 'string') return 'string';
  if (GUID.test(value)) return 'guid';
  return TIME.test(value) && readTime(value) !== undefined ? 'datetime' : 'string';
}

/** The type under which a table of the agents' protocol keeps a value that nothing is known of; undefined for null. */
export function nativeTypeOf(value: unknown): ColumnType | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'number') return 'real';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value !== 'string') return 'dynamic';
  return exactTime(value) === undefined ? 'string' : 'datetime';
}

/** Which values a column takes. `exact`: of its own type · `convert`: also a text that says such a value. */
export type Fitting = 'exact' | 'convert';

/** What a column of this type keeps of a value: a number or a text, as vectors hold them; undefined when it does not fit. */
export function fitValue(value: unknown, type: ColumnType, fitting: Fitting): number | string | undefined {
  switch (type) {
    case 'string':
      if (typeof value === 'string') return value;
      return fitting === 'convert' && typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined;
    case 'dynamic':
      return typeof value === 'object' && value !== null ? JSON.stringify(value) : undefined;
    case 'guid':
      return typeof value === 'string' ? GUID.exec(value)?.[1]?.toLowerCase() : undefined;
    case 'datetime':
      return fitting === 'exact' ? exactTime(value) : readTime(value);
    case 'bool':
      return fitBool(value, fitting);
    case 'int':
    case 'long':
    case 'real':
    case 'timespan':
      return fitNumber(value, fitting);
  }
}

/** What a declared column keeps of a value; undefined for what does not fit (Logs Ingestion API: it becomes null). */
export function fitDeclared(value: unknown, type: ColumnType): number | string | undefined {
  if (type === 'timespan' || type === 'guid') return undefined;
  const cell = toCell(value, type === 'bool' ? 'boolean' : type);
  if (cell === null) return undefined;
  if (type === 'datetime') return Date.parse(String(cell));
  if (type === 'dynamic') return JSON.stringify(cell);
  return typeof cell === 'boolean' ? Number(cell) : (cell as number | string);
}

/** The time that a text says, if it is written just as it will be given back. */
function exactTime(value: unknown): number | undefined {
  return typeof value === 'string' ? readExactTime(value) : undefined;
}

function fitBool(value: unknown, fitting: Fitting): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (fitting === 'exact' || typeof value !== 'string') return undefined;
  const text = value.toLowerCase();
  return text === 'true' ? 1 : text === 'false' ? 0 : undefined;
}

function fitNumber(value: unknown, fitting: Fitting): number | undefined {
  if (typeof value === 'number') return value;
  if (fitting === 'exact' || typeof value !== 'string' || !NUMBER.test(value)) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
