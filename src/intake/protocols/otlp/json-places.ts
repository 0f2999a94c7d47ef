/** Steps through the outer objects and arrays of a JSON body, without making objects of them. */
import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE, skipBlank, skipString, skipValue } from '../../../batch/json-scan.ts';
import type { Findings } from './findings.ts';
import { malformed, tooDeep } from './log-record.ts';

/** Gets a place where a value begins and returns where that ends. */
export type Visit = (at: number) => number;

/** Visits the value of each key of the object that begins here; returns what is behind the object. `what` names it, should it be malformed. */
export function eachKey(json: Buffer, begin: number, what: string, findings: Findings, visit: (key: string, at: number) => number): number {
  if (json[begin] !== OPEN_OBJECT) throw malformed(`${what} is not an object`);
  return eachPart(json, begin, { what, close: CLOSE_OBJECT, findings }, (at) => {
    if (json[at] !== QUOTE) throw malformed(`${what} has a key that is none`);
    const keyEnd = skipString(json, at);
    const colon = skipBlank(json, keyEnd);
    if (json[colon] !== COLON) throw malformed(`${what} has a key without a value`);
    return visit(String(parseJson(json, at, keyEnd, what)), skipBlank(json, colon + 1));
  });
}

/** Visits each value of the array that begins here; returns what is behind it. `null` is an array without values. */
export function eachElement(json: Buffer, begin: number, what: string, findings: Findings, visit: Visit): number {
  if (json[begin] === OPEN_LIST) return eachPart(json, begin, { what, close: CLOSE_LIST, findings }, visit);
  const end = skipValue(json, begin);
  if (parseJson(json, begin, end, what) !== null) throw malformed(`${what} is not an array`);
  return end;
}

interface Enclosing {
  readonly what: string;
  readonly close: number;
  readonly findings: Findings;
}

function eachPart(json: Buffer, begin: number, { what, close, findings }: Enclosing, visit: Visit): number {
  let at = skipBlank(json, begin + 1);
  if (json[at] === close) return at + 1;
  for (;;) {
    findings.part();
    at = skipBlank(json, visit(at));
    if (json[at] === close) return at + 1;
    if (json[at] !== COMMA) throw malformed(`${what} does not end as JSON does`);
    at = skipBlank(json, at + 1);
  }
}

/** The value in these bytes. */
export function parseJson(json: Buffer, start: number, end: number, what: string): unknown {
  try {
    return JSON.parse(json.toString('utf8', start, end));
  } catch (cause) {
    throw malformed(`${what} is not JSON`, cause);
  }
}

/** An integer of so many digits that a number may not hold it. */
const LONG_INTEGER = /(?:^|[:,[\s])-?\d{16,20}/;
const INTEGER = /^-?\d{16,20}$/;

/** The value in these bytes, with a BigInt for each integer that a number cannot hold. Throws `UnfitRecord` too, for one that is nested too deep. */
export function parseExactly(json: Buffer, what: string): unknown {
  const text = json.toString();
  if (!LONG_INTEGER.test(text)) return parseJson(json, 0, json.length, what);
  try {
    return JSON.parse(text, exactly);
  } catch (cause) {
    // The stack's end: the parser itself knows no depth, but visiting what it made does.
    if (cause instanceof RangeError) throw tooDeep();
    throw malformed(`${what} is not JSON`, cause);
  }
}

function exactly(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined || !INTEGER.test(context.source)) return value;
  return BigInt(context.source);
}
