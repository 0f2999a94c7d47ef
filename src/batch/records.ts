/**
 * Finds where each record of an upload's body begins and ends, without making objects of them: parts are cut from the bytes that came, so a
 * record goes on exactly as it was written, numbers of any length included. It is no validator: a record with an error inside its own braces
 * is still one record, and can be set apart from the others.
 */

import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, OPEN_LIST, OPEN_OBJECT, QUOTE, skipBlank, skipString, skipValue } from './json-scan.ts';

/** Where records are. Record n is `starts[n]` up to `ends[n]`; before the first and after the last comes what encloses them. */
export interface RecordPlaces {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export type FoundRecords = { readonly found: true; readonly places: RecordPlaces } | { readonly found: false; readonly reason: string };

const LIST_KEY = 'DataItems';
const MAX_RECORDS = 1_000_000;

/** Finds the records of a custom upload (an array) or of an envelope (an object whose `DataItems` is an array). */
export function findRecords(json: Buffer): FoundRecords {
  const begin = skipBlank(json, json.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0);
  if (json[begin] === OPEN_LIST) return readList(json, begin, (end) => skipBlank(json, end) === json.length);
  if (json[begin] === OPEN_OBJECT) return readEnvelope(json, begin);
  return notFound('the body is neither a JSON object nor an array');
}

function readEnvelope(json: Buffer, begin: number): FoundRecords {
  let at = skipBlank(json, begin + 1);
  while (json[at] === QUOTE) {
    const keyEnd = skipString(json, at);
    const colon = skipBlank(json, keyEnd);
    if (json[colon] !== COLON) return notFound('a key of the envelope has no value');
    const value = skipBlank(json, colon + 1);
    if (json.toString('utf8', at + 1, keyEnd - 1) === LIST_KEY) {
      if (json[value] !== OPEN_LIST) return notFound(`${LIST_KEY} is not an array`);
      return readList(json, value, (end) => isEndOfEnvelope(json, end));
    }
    const next = skipBlank(json, skipValue(json, value));
    if (json[next] !== COMMA) break;
    at = skipBlank(json, next + 1);
  }
  return notFound(`the envelope has no ${LIST_KEY}`);
}

// A second list of the same name would be cut off from its records.
function isEndOfEnvelope(json: Buffer, end: number): boolean {
  let at = skipBlank(json, end);
  while (json[at] === COMMA) {
    const key = skipBlank(json, at + 1);
    const keyEnd = skipString(json, key);
    if (json[key] !== QUOTE || json.toString('utf8', key + 1, keyEnd - 1) === LIST_KEY) return false;
    at = skipBlank(json, skipValue(json, skipBlank(json, skipBlank(json, keyEnd) + 1)));
  }
  return json[at] === CLOSE_OBJECT && skipBlank(json, at + 1) === json.length;
}

function readList(json: Buffer, begin: number, endsWell: (end: number) => boolean): FoundRecords {
  const starts: number[] = [];
  const ends: number[] = [];
  let at = skipBlank(json, begin + 1);
  while (at < json.length && json[at] !== CLOSE_LIST) {
    if (starts.length === MAX_RECORDS) return notFound(`the body has more than ${MAX_RECORDS} records`);
    const end = skipValue(json, at);
    if (end === at) return notFound('a record is missing between two commas');
    starts.push(at);
    ends.push(end);
    at = skipBlank(json, end);
    if (json[at] === COMMA) at = skipBlank(json, at + 1);
    else break;
  }
  if (json[at] !== CLOSE_LIST || !endsWell(at + 1)) return notFound('the list of records does not end as JSON does');
  return { found: true, places: { starts, ends } };
}

function notFound(reason: string): FoundRecords {
  return { found: false, reason };
}
