import { gunzipSync, inflateSync } from 'node:zlib';
import type { ContentEncoding } from '../../batch/batch.ts';
import { findRecords } from '../../batch/records.ts';
import { messageOf } from '../../errors.ts';

/** A batch's body, inflated, with the places of its records. */
export type OpenBody =
  | { readonly readable: true; readonly json: Buffer; readonly starts: readonly number[]; readonly ends: readonly number[]; readonly isArray: boolean }
  | { readonly readable: false; readonly reason: string };

const OPEN_LIST = 0x5b;

/** Opens a body: an envelope's `DataItems`, an array of records, or one record alone. */
export function openBody(body: Uint8Array, encoding: ContentEncoding, maxBytes: number, isCustom: boolean): OpenBody {
  try {
    const json = decode(body, encoding, maxBytes);
    const found = findRecords(json);
    if (found.found) return { readable: true, json, ...found.places, isArray: isCustom && json[0] === OPEN_LIST };
    return openSingle(json, isCustom) ?? { readable: false, reason: found.reason };
  } catch (error) {
    return { readable: false, reason: messageOf(error) };
  }
}

// The Data Collector API takes one object in place of an array, and a few sources put one object into DataItems.
function openSingle(json: Buffer, isCustom: boolean): OpenBody | undefined {
  const value: unknown = parse(json);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (isCustom) return { readable: true, json, starts: [json.indexOf('{')], ends: [json.lastIndexOf('}') + 1], isArray: false };
  const item = (value as { readonly DataItems?: unknown }).DataItems;
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined;
  const single = Buffer.from(JSON.stringify(item));
  return { readable: true, json: single, starts: [0], ends: [single.length], isArray: false };
}

function parse(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString());
  } catch {
    return undefined;
  }
}

function decode(body: Uint8Array, encoding: ContentEncoding, maxBytes: number): Buffer {
  if (encoding === 'deflate') return inflateSync(body, { maxOutputLength: maxBytes });
  if (encoding === 'gzip') return gunzipSync(body, { maxOutputLength: maxBytes });
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
}
