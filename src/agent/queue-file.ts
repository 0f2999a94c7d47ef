/**
 * A waiting batch as a file: one line of JSON that describes it, then the deflated body. The length and CRC-32 of the body are in the
 * line, so that a file that was cut short or changed is never sent. Its name tells the rest: `<sequence>-<kind>-<data type>-<id>.batch`.
 */
import { crc32 } from 'node:zlib';
import type { BatchId } from '../batch/batch-id.ts';
import { KINDS, type Kind } from '../batch/kind.ts';

const VERSION = 1;
const MAX_HEADER_BYTES = 4 * 1024;
const NAME = /^(\d{12})-([A-Z][a-z]+)-(\w{1,100})-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.batch$/;

/** What a file's name tells of its batch. */
export interface QueueName {
  /** The order in which batches were queued. */
  readonly sequence: number;
  readonly kind: Kind;
  readonly dataType: string;
  readonly id: BatchId;
}

interface Header {
  readonly version: number;
  readonly records: number;
  readonly bytes: number;
  readonly crc32: number;
}

/** The file's name; it sorts by sequence. */
export function writeQueueName({ sequence, kind, dataType, id }: QueueName): string {
  return `${String(sequence).padStart(12, '0')}-${kind}-${dataType}-${id}.batch`;
}

/** Reads a file's name; undefined when it is none of a batch. */
export function readQueueName(name: string): QueueName | undefined {
  const [, sequence, kindText, dataType, id] = NAME.exec(name) ?? [];
  const kind = KINDS.find((known) => known === kindText);
  return kind && dataType && id ? { sequence: Number(sequence), kind, dataType, id: id as BatchId } : undefined;
}

/** The file's content for a deflated body. */
export function writeQueueFile(body: Buffer, records: number): Buffer {
  const header: Header = { version: VERSION, records, bytes: body.length, crc32: crc32(body) };
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

/** The deflated body in a file's content; undefined when it is damaged. */
export function readQueueFile(content: Buffer): Buffer | undefined {
  const end = content.subarray(0, MAX_HEADER_BYTES).indexOf(0x0a);
  if (end < 0) return undefined;
  try {
    const header = JSON.parse(content.toString('utf8', 0, end)) as Partial<Header> | null;
    const body = content.subarray(end + 1);
    return header?.version === VERSION && header.bytes === body.length && header.crc32 === crc32(body) ? body : undefined;
  } catch {
    return undefined;
  }
}
