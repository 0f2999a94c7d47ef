/**
 * What a filter's values mean for the type of its column, as a test of one value of the column. Pure.
 * Invariant: no problem told here repeats a filter's value, which is personal data and must not come into logs.
 */
import { parseDatetime } from '../query/kql/values/datetime.ts';
import { readDynamic } from '../query/kql/values/dynamic.ts';
import { parseGuid } from '../query/kql/values/guid.ts';
import { parseTimespan } from '../query/kql/values/timespan.ts';
import type { ColumnType } from '../tables/column.ts';
import type { PurgeFilter, PurgeOperator, PurgeValue } from './purge-request.ts';

/** Tests what one row has in the column; rows that have nothing there never match. */
export type ValueTest =
  | { readonly on: 'number'; readonly test: (value: number) => boolean }
  | { readonly on: 'text'; readonly test: (text: string) => boolean }
  /** Why the filter cannot be used. */
  | { readonly on: 'nothing'; readonly problem: string };

const ORDERING: readonly PurgeOperator[] = ['>', '>=', '<', '<=', 'between'];
const EQUALITY: readonly PurgeOperator[] = ['==', 'in'];
const TEXTUAL: readonly PurgeOperator[] = ['==', '=~', 'in', 'in~'];

const OPERATORS: Readonly<Record<ColumnType, readonly PurgeOperator[]>> = {
  string: TEXTUAL,
  guid: TEXTUAL,
  bool: EQUALITY,
  int: [...EQUALITY, ...ORDERING],
  long: [...EQUALITY, ...ORDERING],
  real: [...EQUALITY, ...ORDERING],
  datetime: [...EQUALITY, ...ORDERING],
  timespan: [...EQUALITY, ...ORDERING],
  dynamic: [...TEXTUAL, ...ORDERING],
};

const EXPECTED: Readonly<Record<ColumnType, string>> = {
  string: 'texts that are not empty',
  guid: 'GUIDs',
  bool: 'true or false',
  int: 'numbers',
  long: 'numbers',
  real: 'numbers',
  datetime: 'times in ISO 8601, such as 2026-11-23T08:00:00Z',
  timespan: 'spans of time, such as 1.02:30:00 or 90s',
  dynamic: 'texts that are not empty, numbers, true or false; with an operator of order numbers or times in ISO 8601',
};

/** The test that a filter is, for a column of this type. */
export function valueTest({ operator, value, key }: PurgeFilter, type: ColumnType): ValueTest {
  if (!OPERATORS[type].includes(operator)) return problem(`its type ${type} knows no operator ${operator}; use one of ${OPERATORS[type].join(' ')}`);
  if (type === 'dynamic' && key === undefined) return problem('its type dynamic needs a key; name the member to compare');
  if (type !== 'dynamic' && key !== undefined) return problem(`its type ${type} has no members; leave out the key`);
  const values = listOf(operator, value);
  if (typeof values === 'string') return problem(values);
  return testOf(operator, values, type, key) ?? problem(`values must be ${EXPECTED[type]}`);
}

function problem(text: string): ValueTest {
  return { on: 'nothing', problem: text };
}

function listOf(operator: PurgeOperator, value: PurgeFilter['value']): readonly PurgeValue[] | string {
  const isList = typeof value === 'object';
  const needsList = operator === 'in' || operator === 'in~' || operator === 'between';
  if (isList !== needsList) return needsList ? `${operator} needs a list of values` : `${operator} needs one value, not a list`;
  const values = isList ? value : [value];
  if (operator === 'between' && values.length !== 2) return `between needs a list of two values, found ${values.length}`;
  return values.length === 0 ? `${operator} needs at least one value, found an empty list` : values;
}

function testOf(operator: PurgeOperator, values: readonly PurgeValue[], type: ColumnType, key: string | undefined): ValueTest | undefined {
  if (type === 'dynamic') return memberTest(operator, values, key as string);
  if (type === 'string') return textTest(operator, values);
  if (type === 'guid') return guidTest(values);
  const numbers = values.map((value) => READERS[type](value));
  if (numbers.some(Number.isNaN)) return undefined;
  return isBackward(operator, numbers) ? BACKWARD : { on: 'number', test: numberTest(operator, numbers) };
}

const READERS: Readonly<Record<Exclude<ColumnType, 'string' | 'guid' | 'dynamic'>, (value: PurgeValue) => number>> = {
  int: numberOf,
  long: numberOf,
  real: numberOf,
  bool: truthOf,
  datetime: (value) => (typeof value === 'string' ? parseDatetime(value) : Number.NaN),
  timespan: (value) => (typeof value === 'string' ? parseTimespan(value) : Number.NaN),
};

function numberOf(value: PurgeValue): number {
  if (typeof value === 'string') return value.trim() === '' ? Number.NaN : Number(value);
  return typeof value === 'number' ? value : Number.NaN;
}

function truthOf(value: PurgeValue): number {
  const word = String(value).toLowerCase();
  return word === 'true' || word === 'false' ? Number(word === 'true') : Number.NaN;
}

const BACKWARD: ValueTest = { on: 'nothing', problem: 'between needs the smaller value first' };

function isBackward(operator: PurgeOperator, [first = 0, second = 0]: readonly number[]): boolean {
  return operator === 'between' && first > second;
}

function numberTest(operator: PurgeOperator, values: readonly number[]): (value: number) => boolean {
  const [first = Number.NaN, second = Number.NaN] = values;
  switch (operator) {
    case '>':
      return (value) => value > first;
    case '>=':
      return (value) => value >= first;
    case '<':
      return (value) => value < first;
    case '<=':
      return (value) => value <= first;
    case 'between':
      return (value) => value >= first && value <= second;
    default: {
      const wanted = new Set(values);
      // A Set takes NaN, which a row without a value has, for equal to itself.
      return (value) => !Number.isNaN(value) && wanted.has(value);
    }
  }
}

// A text that is missing is empty: an empty value would purge all rows that have none.
function textTest(operator: PurgeOperator, values: readonly PurgeValue[]): ValueTest | undefined {
  if (!values.every((value) => typeof value === 'string' && value !== '')) return undefined;
  const folded = operator.endsWith('~') ? (text: string): string => text.toLowerCase() : (text: string): string => text;
  const wanted = new Set(values.map((value) => folded(String(value))));
  return { on: 'text', test: (text) => wanted.has(folded(text)) };
}

function guidTest(values: readonly PurgeValue[]): ValueTest | undefined {
  const guids = values.map((value) => (typeof value === 'string' ? parseGuid(value) : null));
  if (guids.includes(null)) return undefined;
  const wanted = new Set(guids);
  return { on: 'text', test: (text) => wanted.has(text.toLowerCase()) };
}

/** A member is compared as text, whatever it is in JSON; with an operator of order as a number, or as a time when the values are times. */
function memberTest(operator: PurgeOperator, values: readonly PurgeValue[], key: string): ValueTest | undefined {
  if (!ORDERING.includes(operator)) {
    const compared = textTest(operator, values.map(String));
    return compared?.on === 'text' ? { on: 'text', test: (json) => compared.test(String(memberOf(json, key) ?? '')) } : undefined;
  }
  const read = [numberOf, READERS.datetime].find((reader) => !values.some((value) => Number.isNaN(reader(value))));
  if (!read) return undefined;
  const numbers = values.map(read);
  if (isBackward(operator, numbers)) return BACKWARD;
  const compared = numberTest(operator, numbers);
  return { on: 'text', test: (json) => compared(read(memberOf(json, key) ?? '')) };
}

function memberOf(json: string, key: string): PurgeValue | undefined {
  const value = readDynamic(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key)) return undefined;
  const member = (value as Record<string, unknown>)[key];
  return typeof member === 'string' || typeof member === 'number' || typeof member === 'boolean' ? member : undefined;
}
