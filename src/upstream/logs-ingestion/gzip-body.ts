/**
 * One gzip body from pieces that were deflated apart: each piece is a raw deflate stream that ends on a byte and looks back into no other
 * (Z_FULL_FLUSH), so pieces can be put together in any order without being inflated again, and the size is known before. What stands between
 * them, brackets and commas, goes in stored blocks; the checksum of the whole is computed from those of the pieces.
 */
import { crc32 } from 'node:zlib';
import type { Piece } from './piece.ts';

// RFC 1952: deflate, no name, no time, no system.
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const TRAILER_BYTES = 8;
const STORED_BYTES = 6;

/** What a body is longer than its first piece; each further one costs `BETWEEN_BYTES`. */
export const AROUND_BYTES: number = HEADER.length + 2 * STORED_BYTES + TRAILER_BYTES;
export const BETWEEN_BYTES: number = STORED_BYTES;

const OPEN = stored('[', 0);
const COMMA = stored(',', 0);
const CLOSE = stored(']', 1);

/** A JSON array of all rows of the pieces, gzipped. */
export function gzipBody(pieces: readonly Pick<Piece, 'data' | 'crc' | 'rawBytes'>[]): Buffer {
  const chunks: Uint8Array[] = [HEADER];
  let crc = 0;
  let rawBytes = 1;
  for (const [at, piece] of pieces.entries()) {
    chunks.push(at === 0 ? OPEN : COMMA, piece.data);
    crc = combine(crc32(at === 0 ? '[' : ',', crc), piece.crc, piece.rawBytes);
    rawBytes += piece.rawBytes + 1;
  }
  if (pieces.length === 0) chunks.push(OPEN);
  chunks.push(CLOSE);
  const trailer = Buffer.alloc(TRAILER_BYTES);
  trailer.writeUInt32LE(crc32(']', pieces.length === 0 ? crc32('[') : crc) >>> 0, 0);
  trailer.writeUInt32LE((pieces.length === 0 ? 2 : rawBytes) >>> 0, 4);
  return Buffer.concat([...chunks, trailer]);
}

function stored(character: string, isLast: 0 | 1): Buffer {
  return Buffer.concat([Buffer.from([isLast, 1, 0, 0xfe, 0xff]), Buffer.from(character)]);
}

/** The checksum of two runs of bytes from the checksum of each and the length of the second: the first is moved on by as many zero bytes. */
function combine(first: number, second: number, secondBytes: number): number {
  let moved = first;
  let operator = ONE_BYTE;
  for (let left = secondBytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) moved = times(operator, moved);
    operator = squared(operator);
  }
  return (moved ^ second) >>> 0;
}

// Over the field of two elements: column n is what bit n becomes.
type Matrix = readonly number[];

const ONE_BIT: Matrix = [0xedb88320, ...Array.from({ length: 31 }, (_, bit) => 2 ** bit)];
const ONE_BYTE: Matrix = squared(squared(squared(ONE_BIT)));

function times(matrix: Matrix, vector: number): number {
  let sum = 0;
  for (let bit = 0; bit < 32; bit += 1) if ((vector >>> bit) & 1) sum ^= matrix[bit] ?? 0;
  return sum >>> 0;
}

function squared(matrix: Matrix): Matrix {
  return matrix.map((column) => times(matrix, column));
}
