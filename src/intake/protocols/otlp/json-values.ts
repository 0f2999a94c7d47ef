/** What stands in OTLP's JSON, from the values that were parsed. Null is the same as nothing, as everywhere in protobuf's JSON. */
import { type Attributes, attributesFrom, checkDepth, doubleOf, integerOf, type Json, malformed } from './log-record.ts';

type Fields = Readonly<Record<string, unknown>>;

const UINT64_END = 2n ** 64n;
const UINT32_MAX = 2 ** 32 - 1;
const HEX = /^(?:[0-9a-f]{2})*$/i;
const INTEGER = /^-?\d{1,20}$/;
const BASE64 = /^[\w+/-]*={0,2}$/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i;
const NOT_FINITE: readonly unknown[] = ['NaN', 'Infinity', '-Infinity'];

export function objectIn(value: unknown, what: string): Fields {
  if (value === null || value === undefined) return {};
  if (typeof value !== 'object' || Array.isArray(value)) throw malformed(`${what} is not an object`);
  return value as Fields;
}

export function textIn(value: unknown, what: string): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') throw malformed(`${what} is not a text`);
  return value;
}

/** Digits in hexadecimal, in lower case. */
export function hexIn(value: unknown, what: string): string {
  const text = textIn(value, what);
  if (!HEX.test(text)) throw malformed(`${what} is not in hexadecimal`);
  return text.toLowerCase();
}

/** An integer from 0 to 2³²−1, as a number or in digits. */
export function uint32In(value: unknown, what: string): number {
  const number = Number(bigintIn(value ?? 0, what));
  if (number < 0 || number > UINT32_MAX) throw malformed(`${what} is not between 0 and ${UINT32_MAX}`);
  return number;
}

/** Nanoseconds: an integer from 0 to 2⁶⁴−1, as a number or in digits. */
export function nanosIn(value: unknown, what: string): bigint {
  const nanos = bigintIn(value ?? 0, what);
  if (nanos < 0n || nanos >= UINT64_END) throw malformed(`${what} is no time in nanoseconds`);
  return nanos;
}

/** A list of keys with values as one object. */
export function attributesIn(value: unknown, depth = 0): Attributes {
  return attributesFrom(
    listIn(value, 'attributes').map((one) => {
      const pair = objectIn(one, 'an attribute');
      return [textIn(pair['key'], 'the key of an attribute'), valueIn(pair['value'], depth)];
    }),
  );
}

// The kinds of AnyValue.
const KINDS: ReadonlyMap<string, (value: unknown, depth: number) => Json> = new Map<string, (value: unknown, depth: number) => Json>([
  ['stringValue', (value) => textIn(value, 'stringValue')],
  ['boolValue', boolIn],
  ['intValue', int64In],
  ['doubleValue', doubleIn],
  ['arrayValue', (value, depth) => listIn(objectIn(value, 'arrayValue')['values'], 'values').map((one) => valueIn(one, depth + 1))],
  ['kvlistValue', (value, depth) => attributesIn(objectIn(value, 'kvlistValue')['values'], depth + 1)],
  ['bytesValue', bytesIn],
]);

/** An AnyValue; of several kinds in one the last counts. Throws `UnfitRecord` when values are nested too deep. */
export function valueIn(value: unknown, depth: number): Json {
  checkDepth(depth);
  let found: Json = null;
  for (const [kind, one] of Object.entries(objectIn(value, 'a value'))) {
    const read = KINDS.get(kind);
    if (read && one !== null) found = read(one, depth);
  }
  return found;
}

function listIn(value: unknown, what: string): readonly unknown[] {
  if (value === null || value === undefined) return [];
  if (!Array.isArray(value)) throw malformed(`${what} is not an array`);
  return value;
}

function boolIn(value: unknown): boolean {
  if (typeof value !== 'boolean') throw malformed('boolValue is neither true nor false');
  return value;
}

function int64In(value: unknown): number | string {
  const integer = bigintIn(value, 'intValue');
  if (BigInt.asIntN(64, integer) !== integer) throw malformed('intValue has more than 64 bits');
  return integerOf(integer);
}

function bigintIn(value: unknown, what: string): bigint {
  if (typeof value === 'bigint' || Number.isInteger(value) || (typeof value === 'string' && INTEGER.test(value))) return BigInt(value as bigint);
  throw malformed(`${what} is not an integer`);
}

function doubleIn(value: unknown): number | string {
  if (NOT_FINITE.includes(value)) return value as string;
  if (typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && NUMBER.test(value))) return doubleOf(Number(value));
  throw malformed('doubleValue is not a number');
}

function bytesIn(value: unknown): string {
  if (typeof value !== 'string' || !BASE64.test(value)) throw malformed('bytesValue is not in base64');
  return Buffer.from(value, 'base64').toString('base64');
}
