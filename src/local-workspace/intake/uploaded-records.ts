import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import { messageOf } from '../../errors.ts';
import type { Refusal } from '../replies.ts';
import type { Upload, UploadContent } from './upload.ts';

/** Largest body read, inflated, in bytes. */
export const MAX_INFLATED_BYTES: number = 64 * 1024 * 1024;

const MAX_NAME_LENGTH = 128;
/** Where senders put a record's time (reference: wire protocol §4), the first found counts. */
export const TIME_FIELDS: readonly string[] = ['Timestamp', 'EventTime', 'TimeGenerated', 'CollectionTime', 'TimeStamp', 'TimeAnalyzed', 'ScanDate', 'time'];
/** Diagnostics carry no DataType (§3.6). */
const DIAGNOSTICS = 'Diagnostics';

const inflateBody = promisify(inflate);
const gunzipBody = promisify(gunzip);

export interface UploadedRecords {
  readonly dataType: string;
  /** The sender's name (IPName); empty when it gave none. */
  readonly solution: string;
  /** How many there are. */
  readonly records: number;
}

type Read<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly refusal: Refusal };

/** Opens a body: inflates it, parses it, and looks at its records. A body that does not hold what its request says is refused with 400 or 413. */
export async function readRecords(upload: Upload): Promise<Read<UploadedRecords>> {
  const plain = await decode(upload);
  if (!plain.ok) return plain;
  const json = parse(plain.value);
  if (!json.ok) return json;
  return upload.content.shape === 'custom' ? readCustom(json.value, upload.content) : readEnvelope(json.value, upload.content.shape);
}

async function decode(upload: Upload): Promise<Read<Buffer>> {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  try {
    if (upload.encoding === 'deflate') return found(await inflateBody(upload.body, limit));
    if (upload.encoding === 'gzip') return found(await gunzipBody(upload.body, limit));
    return found(upload.body);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      return refused(413, 'RequestTooLarge', `The body inflates to more than ${MAX_INFLATED_BYTES} bytes. Send fewer records at a time.`);
    }
    return refused(400, 'InvalidEncoding', `The body is not what Content-Encoding ${upload.encoding} says: ${messageOf(cause)}.`);
  }
}

function parse(plain: Buffer): Read<unknown> {
  try {
    return found(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain)));
  } catch {
    return refused(400, 'InvalidJson', `The body of ${plain.length} bytes is not JSON in UTF-8.`);
  }
}

function readEnvelope(value: unknown, shape: Exclude<UploadContent['shape'], 'custom'>): Read<UploadedRecords> {
  if (!isObject(value)) return refused(400, 'InvalidEnvelope', 'The body is not a JSON object with DataType and DataItems.');
  const { DataType, IPName: solution = '', DataItems } = value;
  const dataType = shape === 'diagnostics' ? DIAGNOSTICS : DataType;
  if (!isName(dataType)) return refused(400, 'MissingDataType', `DataType is not a text of 1 to ${MAX_NAME_LENGTH} characters.`);
  if (solution !== '' && !isName(solution)) return refused(400, 'InvalidSolution', `IPName is not a text of at most ${MAX_NAME_LENGTH} characters.`);
  // A few sources put one object instead of an array (§3.1).
  const items = isObject(DataItems) ? [DataItems] : DataItems;
  return readItems(items, { dataType, solution, where: 'DataItems' });
}

function readCustom(value: unknown, content: Extract<UploadContent, { shape: 'custom' }>): Read<UploadedRecords> {
  // The Data Collector API takes one object in place of an array.
  return readItems(isObject(value) ? [value] : value, { dataType: content.logType, solution: '', where: 'The body' });
}

interface ItemsContext {
  readonly dataType: string;
  readonly solution: string;
  readonly where: string;
}

function readItems(items: unknown, context: ItemsContext): Read<UploadedRecords> {
  if (!Array.isArray(items)) return refused(400, 'InvalidRecords', `${context.where} is not an array of records.`);
  const strange = items.findIndex((item) => !isObject(item));
  if (strange >= 0) return refused(400, 'InvalidRecord', `Record ${strange + 1} of ${items.length} is not a JSON object.`);
  return found({ dataType: context.dataType, solution: context.solution, records: items.length });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function found<Value>(value: Value): Read<Value> {
  return { ok: true, value };
}

function refused(status: number, code: string, message: string): { readonly ok: false; readonly refusal: Refusal } {
  return { ok: false, refusal: { status, code, message } };
}
