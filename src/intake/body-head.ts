/**
 * Learns what a body is without parsing it: data type and solution stand in its first few hundred inflated bytes. Only where they do not,
 * or where the bytes look like an inflate bomb, the rest is inflated, chunk by chunk, and nothing of it is kept.
 */
import { Readable } from 'node:stream';
import { constants, createGunzip, createInflate, gunzipSync, inflateSync } from 'node:zlib';
import type { ContentEncoding } from '../batch/batch.ts';
import { createJsonHead, type JsonHead } from './json-head.ts';

const KEYS = ['DataType', 'IPName'];
const FIRST_BYTES = 1024;
/** No deflate stream inflates by more than about 1032 to 1. */
const FIRST_INFLATED_BYTES = FIRST_BYTES * 1100;
const LONGEST_NAME = /^[\x20-\x7e]{1,128}$/;

export type BodyHead =
  | { readonly outcome: 'read'; readonly dataType: string; readonly solution: string }
  | { readonly outcome: 'unreadable'; readonly reason: 'not-json' | 'no-data-type' | 'not-deflate' | 'not-gzip' | 'empty' }
  | { readonly outcome: 'too-large' };

/** Reads data type and solution of an OMS envelope (wire protocol §3.1). `maxBytes` bounds the inflated body. */
export async function readBodyHead(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<BodyHead> {
  if (body.length === 0) return { outcome: 'unreadable', reason: 'empty' };
  const first = inflateFirst(body, encoding);
  if (!first) return { outcome: 'unreadable', reason: encoding === 'gzip' ? 'not-gzip' : 'not-deflate' };
  const head = createJsonHead(KEYS);
  const state = head.feed(first);
  if (state === 'not-json') return (await exceeds(body, encoding, maxBytes)) ? { outcome: 'too-large' } : { outcome: 'unreadable', reason: 'not-json' };
  if (state === 'found') return (await exceeds(body, encoding, maxBytes)) ? { outcome: 'too-large' } : describe(head);
  return await scanAll(body, encoding, maxBytes);
}

/** Whether a body inflates beyond `maxBytes`. Bodies whose compressed bytes look like chance, as honest ones do, are taken at their word. */
export async function exceeds(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<boolean> {
  if (encoding === 'identity') return body.length > maxBytes;
  if (body.length * 1100 <= maxBytes || !looksRepetitive(body)) return false;
  return (await inflateAll(body, encoding, maxBytes, () => true)) === 'too-large';
}

// A stream that inflates a hundredfold or more repeats the same few bytes; text compressed ten to one does not.
function looksRepetitive(body: Buffer): boolean {
  const sample = 256;
  return [0.1, 0.5, 0.9].some((share) => {
    const start = Math.floor((body.length - sample) * share);
    return new Set(body.subarray(start, start + sample)).size < 64;
  });
}

async function scanAll(body: Buffer, encoding: ContentEncoding, maxBytes: number): Promise<BodyHead> {
  const head = createJsonHead(KEYS);
  let state: ReturnType<JsonHead['feed']> = 'more';
  const end = await inflateAll(body, encoding, maxBytes, (chunk) => {
    state = head.feed(chunk);
    return state === 'more';
  });
  if (end === 'too-large') return { outcome: 'too-large' };
  if (end === 'broken') return { outcome: 'unreadable', reason: encoding === 'gzip' ? 'not-gzip' : 'not-deflate' };
  return (state as string) === 'not-json' ? { outcome: 'unreadable', reason: 'not-json' } : describe(head);
}

function describe(head: JsonHead): BodyHead {
  const dataType = head.value('DataType') ?? '';
  const solution = head.value('IPName') ?? '';
  if (!LONGEST_NAME.test(dataType)) return { outcome: 'unreadable', reason: 'no-data-type' };
  return { outcome: 'read', dataType, solution: LONGEST_NAME.test(solution) ? solution : '' };
}

function inflateFirst(body: Buffer, encoding: ContentEncoding): Buffer | undefined {
  if (encoding === 'identity') return body.subarray(0, 4 * FIRST_BYTES);
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: FIRST_INFLATED_BYTES };
  try {
    return encoding === 'gzip' ? gunzipSync(body.subarray(0, FIRST_BYTES), options) : inflateSync(body.subarray(0, FIRST_BYTES), options);
  } catch {
    return undefined;
  }
}

/** Inflates a whole body without keeping it, until `take` has had enough. Memory stays at one chunk. */
async function inflateAll(
  body: Buffer,
  encoding: ContentEncoding,
  maxBytes: number,
  take: (chunk: Buffer) => boolean,
): Promise<'whole' | 'too-large' | 'broken'> {
  const source = Readable.from(slices(body));
  const inflated = encoding === 'identity' ? source : source.pipe(encoding === 'gzip' ? createGunzip() : createInflate());
  let total = 0;
  try {
    for await (const chunk of inflated as AsyncIterable<Buffer>) {
      total += chunk.length;
      if (total > maxBytes) return 'too-large';
      if (!take(chunk)) return 'whole';
    }
    return 'whole';
  } catch {
    return 'broken';
  } finally {
    source.destroy();
    inflated.destroy();
  }
}

function* slices(body: Buffer): Generator<Buffer> {
  for (let start = 0; start < body.length; start += 64 * 1024) yield body.subarray(start, start + 64 * 1024);
}
