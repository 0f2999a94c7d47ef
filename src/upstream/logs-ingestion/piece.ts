/** Rows of one stream, deflated together: the smallest part of a request. */
export interface Piece {
  /** Raw deflate, ended on a byte, independent of its neighbours. */
  readonly data: Uint8Array;
  /** Of the rows with the commas between them, not deflated. */
  readonly crc: number;
  readonly rawBytes: number;
  /** Times of the first and the last of its records, in milliseconds since 1970. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Which records it holds, in order. */
  readonly spans: readonly Span[];
}

/** Records of the task's batch number `batch`, from `from` up to `to`. */
export interface Span {
  readonly batch: number;
  readonly from: number;
  readonly to: number;
}
