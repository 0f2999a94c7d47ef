import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf } from '../../../errors.ts';
import type { Refusal } from '../../replies.ts';
import { readTime } from './cell.ts';
import type { DeclaredStream } from './declaration.ts';

/** Largest body, inflated, in bytes. */
export const MAX_INFLATED_BYTES: number = 50 * 1024 * 1024;

const MAX_SPAN_MS = 30 * 60_000;
/** How deep a value may be nested where the column is not dynamic. */
const MAX_DEPTH = 1;
const TIME = 'TimeGenerated';

const inflate = promisify(gunzip);

export interface ReadRows {
  readonly ok: true;
  /** How many there are. */
  readonly rows: number;
  readonly rawBytes: number;
}

type Refused = { readonly ok: false; readonly refusal: Refusal };

/** Opens the body of a call and looks at its rows, as the stream's declaration says. One record that cannot be read refuses the whole call. */
export async function readRows(body: Buffer, isGzip: boolean, stream: DeclaredStream): Promise<ReadRows | Refused> {
  const plain = isGzip ? await unzip(body) : body;
  if ('refusal' in plain) return plain;
  const records = parse(plain);
  if ('refusal' in records) return records;
  const refusal = checkRecords(records, stream);
  if (refusal) return { ok: false, refusal };
  return { ok: true, rows: records.length, rawBytes: plain.length };
}

async function unzip(body: Buffer): Promise<Buffer | Refused> {
  try {
    return await inflate(body, { maxOutputLength: MAX_INFLATED_BYTES });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      return refused(413, 'PayloadSizeLimitExceeded', `The body inflates to more than ${MAX_INFLATED_BYTES} bytes. Send fewer records at a time.`);
    }
    return refused(400, 'InvalidPayload', `The body is not the gzip that Content-Encoding says: ${messageOf(cause)}.`);
  }
}

type Records = readonly Record<string, unknown>[];

function parse(plain: Buffer): Records | Refused {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch {
    return refused(400, 'InvalidPayload', `The body of ${plain.length} bytes is not JSON in UTF-8.`);
  }
  // Microsoft's own tests met this: no code, no word.
  if (value === null) return refused(500, '', '');
  if (!Array.isArray(value)) return refused(400, 'InvalidPayload', 'The body is not a JSON array.');
  const strange = value.findIndex((record) => !isObject(record));
  return strange < 0 ? (value as Records) : refused(400, 'InvalidPayload', `Record ${strange + 1} of ${value.length} is not a JSON object.`);
}

function checkRecords(records: Records, stream: DeclaredStream): Refusal | undefined {
  const flat = stream.columns.filter(({ type }) => type !== 'dynamic');
  for (const [at, record] of records.entries()) {
    const deep = flat.find(({ name }) => depthOf(record[name]) > MAX_DEPTH);
    const message = `Record ${at + 1} of ${records.length}: field ${deep?.name} is nested too deep for a column of type ${deep?.type}.`;
    if (deep) return { status: 400, code: 'InvalidPayload', message };
  }
  return stream.plan === 'auxiliary' ? checkSpan(records) : undefined;
}

function checkSpan(records: Records): Refusal | undefined {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const record of records) {
    const time = readTime(record[TIME]);
    if (time === undefined) continue;
    first = Math.min(first, time);
    last = Math.max(last, time);
  }
  if (last - first <= MAX_SPAN_MS || records.length === 0) return undefined;
  const message = `The records' ${TIME} spans ${Math.ceil((last - first) / 60_000)} minutes. A table of the Auxiliary plan takes 30 in one call.`;
  return { status: 400, code: 'RecordsTimeRangeIsMoreThan30Minutes', message };
}

// Not deeper than it matters: what strangers nest has no end.
function depthOf(value: unknown, left = MAX_DEPTH + 1): number {
  if (typeof value !== 'object' || value === null || left === 0) return 0;
  return Object.values(value).reduce((deepest: number, inner) => Math.max(deepest, 1 + depthOf(inner, left - 1)), 1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(status: number, code: string, message: string): Refused {
  return { ok: false, refusal: { status, code, message } };
}
