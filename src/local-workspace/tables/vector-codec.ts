import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Column } from './column.ts';
import { decodeNumbers, encodeNumbers } from './number-codec.ts';
import { decodeTexts, encodeTexts } from './text-codec.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from './vector.ts';

/**
 * Measured on 89 MB of JSON of log lines, counters and heartbeats (400,000 rows, `test/benchmark/workspace-rows.ts`), all columns packed in 0.20 s
 * (level 1), 0.22 s (2), 0.25 s (3) of CPU time, into 5.92, 5.80 and 5.90 MB: of this data level 2 makes the least.
 */
const LEVEL = 2;
/** Largest column read back, in bytes: what a row may hold times the rows of a segment stays below it. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** The bytes of a column, packed. */
export function encodeVector(vector: Vector): Buffer {
  const bytes = vector.kind === 'number' ? encodeNumbers(vector.values) : encodeTexts(vector);
  return zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: LEVEL } });
}

/** What `encodeVector` was given. Throws when the bytes are none of `rows` rows. */
export function decodeVector({ type }: Column, bytes: Buffer, rows: number): Vector {
  const plain = zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES });
  if (isText(type)) return { kind: 'text', type, ...decodeTexts(plain, rows) };
  return { kind: 'number', type, values: decodeNumbers(plain, rows) };
}

/** Whether values of this type are kept as texts. */
export function isText(type: Column['type']): type is TextVector['type'] {
  return type === 'string' || type === 'guid' || type === 'dynamic';
}

/** A column without a value in any row. */
export function emptyVector({ type }: Column, rows: number): Vector {
  if (isText(type)) return { kind: 'text', type, dictionary: [], codes: new Uint32Array(rows).fill(NO_TEXT) };
  return { kind: 'number', type: type as NumberVector['type'], values: new Float64Array(rows).fill(Number.NaN) };
}
