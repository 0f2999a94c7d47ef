import { readExactTime } from '../../shaping/exact-time.ts';
import type { ColumnType } from './declaration.ts';

/** Longest text of one field, in bytes of UTF-8; the rest is cut off. */
export const MAX_FIELD_BYTES: number = 64 * 1024;

const INT_LIMIT = 2 ** 31;
const NUMBER = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?$/i;
const ZONE = /(?:Z|[+-]\d{2}:?\d{2})$/i;

/** What a table keeps of a value under its column's type; null for what does not fit it. */
export function toCell(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'string':
      return cut(typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value));
    case 'int':
      return toInt(value);
    case 'long':
      return toWhole(value);
    case 'real':
      return toNumber(value);
    case 'boolean':
      return toBoolean(value);
    case 'datetime':
      return toDateTime(value);
    case 'dynamic':
      return toDynamic(value);
  }
}

/** Milliseconds since 1970 of a time as ISO 8601 writes it, in UTC where it names no zone; undefined for anything else. */
export function readTime(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  const exact = readExactTime(value);
  if (exact !== undefined) return exact;
  if (!DATE.test(value.trim())) return undefined;
  const text = value.trim().replace(' ', 'T');
  const time = Date.parse(ZONE.test(text) || !text.includes('T') ? text : `${text}Z`);
  // V8 takes 31 February for 3 March.
  return Number.isNaN(time) || readExactTime(`${text.slice(0, 10)}T00:00:00.000Z`) === undefined ? undefined : time;
}

function toDateTime(value: unknown): string | null {
  const time = readTime(value);
  return time === undefined ? null : new Date(time).toISOString();
}

function toNumber(value: unknown): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && NUMBER.test(value) ? Number(value) : null;
}

function toWhole(value: unknown): number | null {
  const number = toNumber(value);
  return number === null || !Number.isFinite(number) ? null : Math.trunc(number);
}

function toInt(value: unknown): number | null {
  const whole = toWhole(value);
  return whole !== null && whole >= -INT_LIMIT && whole < INT_LIMIT ? whole : null;
}

function toBoolean(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
  return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : null;
}

// What is too long can be no JSON any more once it is cut.
function toDynamic(value: unknown): unknown {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Buffer.byteLength(text) > MAX_FIELD_BYTES ? cut(text) : value;
}

function cut(text: string): string {
  // One character is three bytes of UTF-8 at most.
  if (text.length * 3 <= MAX_FIELD_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_FIELD_BYTES) return text;
  let end = MAX_FIELD_BYTES;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
