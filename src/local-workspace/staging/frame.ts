/**
 * One entry in a file of the staging log. Layout: length of the sealed entry (4 bytes) · seq (8) · CRC-32 of the sealed entry (4) · CRC-32 of
 * these sixteen bytes (4) · sealed entry. The sums find torn and damaged entries without a key, and the next whole one behind them; the seal,
 * made for this place in this file, finds changed and moved ones.
 * Inside the seal: length of the head (4) · head, as JSON · body.
 */
import { crc32 } from 'node:zlib';
import type { FileSealer } from '../tables/file-sealer.ts';
import type { PlacedEntry, StagedEntry } from './entry.ts';

const HEADER_BYTES = 20;
const SUMMED_BYTES = 16;
/** Longest sealed entry, in bytes: the largest body that is taken, and its head. */
const MAX_FRAME_BYTES = 80 * 1024 * 1024;
const MAX_HEAD_BYTES = 1024 * 1024;
/** Longest body of an entry, in bytes. */
export const MAX_BODY_BYTES: number = MAX_FRAME_BYTES - MAX_HEAD_BYTES;
/** Read at a time in search of the next whole entry. */
const SEARCH_BYTES = 1024 * 1024;

/** The bytes of an entry's frame, in pieces. */
export function writeFrame({ head, body }: StagedEntry, seq: number, sealer: FileSealer): Buffer[] {
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  const sealed = sealer.seal(placeOf(seq), Buffer.concat([length, json, body]));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(sealed.length, 0);
  header.writeBigUInt64LE(BigInt(seq), 4);
  header.writeUInt32LE(crc32(sealed), 12);
  header.writeUInt32LE(crc32(header.subarray(0, SUMMED_BYTES)), SUMMED_BYTES);
  return [header, sealed];
}

/** Reads from a file; fewer bytes than asked for at its end. */
export type ReadBytes = (from: number, length: number) => Buffer;

/** What stands at a place of a file. `torn`: the file ends within it, or nothing whole follows · `damaged`: its bytes are not those that were written. */
export type FoundFrame =
  | { readonly kind: 'frame'; readonly seq: number; readonly sealed: Buffer; readonly next: number }
  | { readonly kind: 'damaged'; readonly next: number }
  | { readonly kind: 'torn' }
  | { readonly kind: 'end' };

/** Looks at the frame that begins at `at`. */
export function readFrame(read: ReadBytes, at: number): FoundFrame {
  const header = read(at, HEADER_BYTES);
  if (header.length === 0) return { kind: 'end' };
  if (!isHeader(header, 0)) {
    const next = nextHeader(read, at + 1);
    return next === undefined ? { kind: 'torn' } : { kind: 'damaged', next };
  }
  const length = header.readUInt32LE(0);
  const sealed = read(at + HEADER_BYTES, length);
  if (sealed.length < length) return { kind: 'torn' };
  const next = at + HEADER_BYTES + length;
  if (crc32(sealed) !== header.readUInt32LE(12)) return { kind: 'damaged', next };
  return { kind: 'frame', seq: Number(header.readBigUInt64LE(4)), sealed, next };
}

/** The entry inside a frame. Throws when it was changed, or sealed for another place. */
export function openFrame({ seq, sealed }: { readonly seq: number; readonly sealed: Buffer }, sealer: FileSealer): PlacedEntry {
  const plain = sealer.open(placeOf(seq), sealed);
  const headEnd = 4 + plain.readUInt32LE(0);
  return { seq, head: JSON.parse(plain.toString('utf8', 4, headEnd)) as PlacedEntry['head'], body: plain.subarray(headEnd) };
}

function isHeader(bytes: Buffer, at: number): boolean {
  if (bytes.length < at + HEADER_BYTES) return false;
  const length = bytes.readUInt32LE(at);
  // Most places are told apart by this, without a sum.
  if (length === 0 || length > MAX_FRAME_BYTES || bytes.readUInt16LE(at + 10) !== 0) return false;
  return crc32(bytes.subarray(at, at + SUMMED_BYTES)) === bytes.readUInt32LE(at + SUMMED_BYTES);
}

// One damaged entry must not take those behind it along.
function nextHeader(read: ReadBytes, from: number): number | undefined {
  for (let at = from; ; at += SEARCH_BYTES) {
    const bytes = read(at, SEARCH_BYTES + HEADER_BYTES);
    for (let place = 0; place < SEARCH_BYTES && place + HEADER_BYTES <= bytes.length; place += 1) if (isHeader(bytes, place)) return at + place;
    if (bytes.length < SEARCH_BYTES + HEADER_BYTES) return undefined;
  }
}

function placeOf(seq: number): string {
  return `entry ${seq}`;
}
