import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const deflated = promisify(deflate);

/** Most records in one batch. */
export const MAX_RECORDS = 1_000;
/** Largest body before it is deflated, in bytes. */
export const MAX_BODY_BYTES: number = 1024 * 1024;

/** Records of one data type, as a collector hands them over. */
export interface Collection {
  readonly dataType: string;
  readonly solution: string;
  readonly records: readonly object[];
}

/** The body of one upload (§3.1), deflated (zlib), and how many records it holds. */
export interface UploadBody {
  readonly records: number;
  readonly body: Buffer;
}

/** Writes the records as one or more bodies: each at most 1000 records and 1 MiB, unless one record alone is larger. */
export async function writeUploadBodies({ dataType, solution, records }: Collection): Promise<UploadBody[]> {
  const head = `{"DataType":${JSON.stringify(dataType)},"IPName":${JSON.stringify(solution)},"DataItems":[`;
  const bodies: UploadBody[] = [];
  for (const items of split(records.map((record) => JSON.stringify(record)))) {
    bodies.push({ records: items.length, body: await deflated(`${head}${items.join(',')}]}`) });
  }
  return bodies;
}

function split(items: readonly string[]): string[][] {
  const parts: string[][] = [];
  let bytes = MAX_BODY_BYTES;
  for (const item of items) {
    const size = Buffer.byteLength(item) + 1;
    const last = parts.at(-1);
    if (last && last.length < MAX_RECORDS && bytes + size <= MAX_BODY_BYTES) {
      last.push(item);
      bytes += size;
    } else {
      parts.push([item]);
      bytes = size + ENVELOPE_BYTES;
    }
  }
  return parts;
}

// Room for the envelope around the records.
const ENVELOPE_BYTES = 1_024;
