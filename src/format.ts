/**
 * A format on disk, by numbers: which of them this release reads, and which it writes. A change that an older release would trip over gets a new
 * number, and what was read before stays readable: by these numbers an upgrade knows whether there is a way back.
 */
export interface Format {
  readonly reads: readonly number[];
  readonly writes: number;
}
