import type { ColumnType } from '../../../tables/column.ts';
import { type Cell, isNull, isTextType, nullOf } from './cell.ts';
import { datetimeText, parseDatetime } from './datetime.ts';
import { dynamicText, parseDynamic, readDynamic, writeDynamic } from './dynamic.ts';
import { parseGuid } from './guid.ts';
import { parseTimespan, timespanText } from './timespan.ts';

const INT_MAX = 2 ** 31 - 1;

/** `tostring()`: the empty text for null. */
export function toText(cell: Cell, type: ColumnType): string {
  if (type === 'dynamic') return dynamicText(cell as string | null);
  if (isNull(cell)) return '';
  if (typeof cell === 'string') return cell;
  if (type === 'datetime') return datetimeText(cell as number) ?? '';
  if (type === 'timespan') return timespanText(cell as number) ?? '';
  return type === 'bool' ? String(cell === 1) : String(cell);
}

/** A value in another type, as `toint()`, `tobool()`, `todatetime()` and the like give it; the type's null where it has no meaning there. */
export function convert(cell: Cell, from: ColumnType, to: ColumnType): Cell {
  if (from === to) return cell;
  if (to === 'string') return toText(cell, from);
  if (isNull(cell)) return nullOf(to);
  if (to === 'dynamic') return toDynamic(cell, from);
  return from === 'dynamic' || isTextType(from) ? fromText(toText(cell, from), to) : fromNumber(cell as number, from, to);
}

function fromText(text: string, to: ColumnType): Cell {
  switch (to) {
    case 'datetime':
      return parseDatetime(text);
    case 'timespan':
      return parseTimespan(text);
    case 'guid':
      return parseGuid(text);
    case 'bool':
      return truthOf(text);
    default:
      return fitted(text.trim() === '' ? Number.NaN : Number(text), to);
  }
}

function truthOf(text: string): number {
  const word = text.trim().toLowerCase();
  if (word === 'true' || word === 'false') return Number(word === 'true');
  return word === '' || Number.isNaN(Number(word)) ? Number.NaN : Number(Number(word) !== 0);
}

function fromNumber(value: number, from: ColumnType, to: ColumnType): Cell {
  if (to === 'bool') return Number(value !== 0);
  if (isTextType(to)) return null;
  const timed = from === 'datetime' || from === 'timespan';
  if (to === 'datetime' || to === 'timespan' || timed) return ticksBetween(value, from, to);
  return fitted(value, to);
}

// Numbers stand for ticks of 100 ns: since the year 1 in a datetime, as they are in a timespan.
const YEAR_1_MS = -62_135_596_800_000;

function ticksBetween(value: number, from: ColumnType, to: ColumnType): number {
  if (to === 'timespan') return from === 'datetime' ? Number.NaN : value / 10_000;
  if (to === 'datetime') return from === 'timespan' ? Number.NaN : value / 10_000 + YEAR_1_MS;
  return fitted(from === 'datetime' ? (value - YEAR_1_MS) * 10_000 : value * 10_000, to);
}

function fitted(value: number, to: ColumnType): number {
  if (to === 'real') return value;
  if (!Number.isFinite(value)) return Number.NaN;
  const whole = Math.trunc(value);
  return to === 'int' && (whole > INT_MAX || whole < -INT_MAX - 1) ? Number.NaN : whole;
}

/** The dynamic that holds a value of another type: times and spans of time as text. */
export function toDynamic(cell: Cell, from: ColumnType): string | null {
  if (from === 'dynamic') return cell as string | null;
  if (from === 'string') return JSON.stringify(cell);
  if (isNull(cell)) return null;
  if (from === 'bool') return String(cell === 1);
  if (from === 'datetime' || from === 'timespan' || from === 'guid') return JSON.stringify(toText(cell, from));
  return writeDynamic(cell);
}

/** What a `dynamic` array in a list of values stands for, converted to the type that is compared with. Undefined when it is no array. */
export function elementsOf(text: string | null, type: ColumnType): Cell[] | undefined {
  const value = readDynamic(text);
  return Array.isArray(value) ? value.map((one) => convert(writeDynamic(one), 'dynamic', type)) : undefined;
}

/** `parse_json()` of any value. */
export function parseAsDynamic(cell: Cell, from: ColumnType): string | null {
  return from === 'string' ? parseDynamic(cell as string) : toDynamic(cell, from);
}
