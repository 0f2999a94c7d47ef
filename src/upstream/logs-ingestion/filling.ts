import { AROUND_BYTES, BETWEEN_BYTES, gzipBody } from './gzip-body.ts';
import { AUXILIARY_SPAN_MS, FULL_REQUEST_BYTES, MAX_RAW_BYTES } from './limits.ts';
import type { Piece } from './piece.ts';
import type { WorkSpan } from './work.ts';

/** A request that is being filled. */
export interface Filling {
  /** False when the piece does not fit any more. The first one always fits. */
  add(piece: Piece, spans: readonly WorkSpan[]): boolean;
  body(): Buffer;
  readonly spans: readonly WorkSpan[];
  rawBytes(): number;
}

/** `isAuxiliary`: no more than half an hour of records. */
export function createFilling(isAuxiliary: boolean): Filling {
  const pieces: Piece[] = [];
  const spans: WorkSpan[] = [];
  let bytes = AROUND_BYTES - BETWEEN_BYTES;
  let rawBytes = 1;
  let fromMs = Number.POSITIVE_INFINITY;
  let toMs = Number.NEGATIVE_INFINITY;

  const fits = (piece: Piece): boolean => {
    if (pieces.length === 0) return true;
    if (bytes + piece.data.length + BETWEEN_BYTES > FULL_REQUEST_BYTES || rawBytes + piece.rawBytes + 1 > MAX_RAW_BYTES) return false;
    return !isAuxiliary || Math.max(toMs, piece.toMs) - Math.min(fromMs, piece.fromMs) <= AUXILIARY_SPAN_MS;
  };

  return {
    add(piece, given) {
      if (!fits(piece)) return false;
      pieces.push(piece);
      spans.push(...given);
      bytes += piece.data.length + BETWEEN_BYTES;
      rawBytes += piece.rawBytes + 1;
      fromMs = Math.min(fromMs, piece.fromMs);
      toMs = Math.max(toMs, piece.toMs);
      return true;
    },
    body: () => gzipBody(pieces),
    spans,
    rawBytes: () => rawBytes,
  };
}
