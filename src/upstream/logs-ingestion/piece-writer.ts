import { constants, crc32, deflateRawSync } from 'node:zlib';
import { AROUND_BYTES } from './gzip-body.ts';
import { AUXILIARY_SPAN_MS, MAX_REQUEST_BYTES } from './limits.ts';
import type { Piece, Span } from './piece.ts';

/** A piece is this large, deflated: small against a request, so that requests become full; large enough for deflate to learn from. */
const PIECE_BYTES = 32 * 1024;
const LEAST_RAW_BYTES = 64 * 1024;
/** Twice as much, which does not compress at all, still fits into a request: only a record alone can be too large. */
const MOST_RAW_BYTES = 480 * 1024;
const FIRST_RAW_BYTES = 192 * 1024;
const LEVEL = 6;
const COMMA = 0x2c;

/** Gathers rows and deflates them piece by piece. */
export interface PieceWriter {
  /** Room for a row of so many bytes at most, in `buffer` from `at` on; to be followed by `wrote`. */
  room(bytes: number): { readonly buffer: Buffer; readonly at: number };
  /** A row of record `record` of batch `batch` was put there. */
  wrote(bytes: number, batch: number, record: number, ms: number): void;
  /** What follows does not share a piece with what came before. */
  cut(): void;
  /** Ends the last piece. */
  end(): { readonly pieces: readonly Piece[]; readonly tooLarge: readonly Span[] };
}

/** `isAuxiliary`: no piece holds records of more than half an hour. */
export function createPieceWriter(isAuxiliary: boolean): PieceWriter {
  const pieces: Piece[] = [];
  const tooLarge: Span[] = [];
  let buffer = Buffer.allocUnsafe(2 * FIRST_RAW_BYTES);
  let used = 0;
  let targetBytes = FIRST_RAW_BYTES;
  let spans: { batch: number; from: number; to: number }[] = [];
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;

  const cut = (): void => {
    if (spans.length === 0) return;
    const raw = buffer.subarray(0, used);
    const data = deflateRawSync(raw, { level: LEVEL, finishFlush: constants.Z_FULL_FLUSH });
    if (data.length + AROUND_BYTES > MAX_REQUEST_BYTES) tooLarge.push(...spans);
    else pieces.push({ data: new Uint8Array(data), crc: crc32(raw), rawBytes: used, fromMs, toMs, spans });
    targetBytes = Math.min(Math.max(Math.floor((PIECE_BYTES * used) / data.length), LEAST_RAW_BYTES), MOST_RAW_BYTES);
    used = 0;
    spans = [];
    fromMs = Number.POSITIVE_INFINITY;
    toMs = Number.NEGATIVE_INFINITY;
  };
  /** A row that was put behind the piece becomes the first of the next. */
  const cutBefore = (at: number, bytes: number): void => {
    const row = Buffer.from(buffer.subarray(at, at + bytes));
    cut();
    row.copy(buffer, 0);
    used = bytes;
  };

  const extend = (batch: number, record: number, ms: number): void => {
    const last = spans.at(-1);
    if (last?.batch === batch && last.to === record) last.to = record + 1;
    else spans.push({ batch, from: record, to: record + 1 });
    fromMs = Math.min(fromMs, ms);
    toMs = Math.max(toMs, ms);
  };
  const fits = (bytes: number, ms: number): boolean =>
    spans.length === 0 || (used + 1 + bytes <= 2 * targetBytes && !(isAuxiliary && Math.max(toMs, ms) - Math.min(fromMs, ms) > AUXILIARY_SPAN_MS));

  return {
    room(bytes) {
      const needed = used + 1 + bytes;
      if (needed > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.max(needed, 2 * buffer.length));
        buffer.copy(larger, 0, 0, used);
        buffer = larger;
      }
      return { buffer, at: spans.length === 0 ? 0 : used + 1 };
    },
    wrote(bytes, batch, record, ms) {
      const at = spans.length === 0 ? 0 : used + 1;
      if (fits(bytes, ms)) {
        if (at > 0) buffer[used] = COMMA;
        used = at + bytes;
      } else cutBefore(at, bytes);
      extend(batch, record, ms);
      if (used >= targetBytes) cut();
    },
    cut,
    end() {
      cut();
      return { pieces, tooLarge };
    },
  };
}
