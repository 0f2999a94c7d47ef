import { promisify } from 'node:util';
import { gunzip, inflate } from 'node:zlib';
import type { Batch } from '../batch/batch.ts';

/** More than this is not opened only to be counted: parsing it would hold up everything else. */
const MAX_INFLATED_BYTES = 8 * 1024 * 1024;

const inflateBody = promisify(inflate);
const gunzipBody = promisify(gunzip);

/** How many records a batch holds; undefined when it is too large to look inside, or holds none that can be read. */
export async function countRecords({ body, origin }: Pick<Batch, 'body' | 'origin'>): Promise<number | undefined> {
  try {
    const plain = await decode(body, origin.encoding);
    if (plain.length > MAX_INFLATED_BYTES) return undefined;
    return countIn(JSON.parse(plain.toString('utf8')));
  } catch {
    return undefined;
  }
}

async function decode(body: Buffer, encoding: Batch['origin']['encoding']): Promise<Buffer> {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  if (encoding === 'deflate') return await inflateBody(body, limit);
  return encoding === 'gzip' ? await gunzipBody(body, limit) : body;
}

// Custom records are an array; others an envelope, in which a few sources put one object instead of an array.
function countIn(value: unknown): number | undefined {
  if (Array.isArray(value)) return value.length;
  const items = (value as { readonly DataItems?: unknown } | null)?.DataItems;
  if (Array.isArray(items)) return items.length;
  return typeof items === 'object' && items !== null ? 1 : undefined;
}
