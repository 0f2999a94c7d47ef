/**
 * Finds the records for which a batch is refused, in few requests. From the first record on: a part that passes is delivered; of a part that is
 * refused the first half is next, down to one record, which is refused for good. So what is settled is always the beginning, and a search that was
 * interrupted goes on where it was.
 *
 * When a part was refused and its first half passes, the fault is in the second half: that is halved at once, not offered whole. A part that was
 * too large (413) proves nothing of the kind. One bad record among n costs about log2(n) requests.
 */
import type { Refused } from '../batch/verdict.ts';

/** Records, from `from` up to `to`. */
export interface RecordRange {
  readonly from: number;
  readonly to: number;
}

export interface RefusedRange extends RecordRange, Pick<Refused, 'status' | 'answer'> {}

export interface Search {
  /** What to offer next; undefined when every record is settled. */
  next(): RecordRange | undefined;
  /** What was offered last was delivered. */
  delivered(): void;
  /** What was offered last was refused. */
  refused(answer: Refused): void;
  /** How many parts were answered. */
  requests(): number;
  readonly deliveredRecords: () => number;
  readonly refusedRanges: readonly RefusedRange[];
}

/** After so many parts the rest stays together. */
export const MAX_REQUESTS = 256;
/** A batch with so many bad records, and fewer good ones, is bad as a whole: what is left of it stays together. */
export const MOSTLY_BAD = 16;

const TOO_LARGE = 413;

/** Begins a search in a batch of two or more `records` that was refused with `first`. */
export function createSearch(records: number, first: Refused): Search {
  const refusedRanges: RefusedRange[] = [];
  let from = 0;
  let deliveredRecords = 0;
  let requests = 0;
  let last = first;
  /** Some record before this one is bad, as far as is known. */
  let badBefore: number | undefined;
  /** No more records at once: so many were too large. */
  let most = Number.POSITIVE_INFINITY;
  let size = 0;

  const narrow = (refusedSize: number, { status }: Refused): void => {
    badBefore = status === TOO_LARGE ? undefined : from + refusedSize;
    if (status === TOO_LARGE) most = Math.floor(refusedSize / 2);
    size = Math.ceil(refusedSize / 2);
  };

  // As many as there were, on the average, for each bad one: such a part passes about every other time.
  const widen = (): void => {
    badBefore = undefined;
    const likely = refusedRanges.length === 0 ? records : Math.ceil(from / refusedRanges.length);
    size = Math.min(likely, most, records - from);
  };

  const refuse = (count: number, { status, answer }: Refused): void => {
    refusedRanges.push({ from, to: from + count, status, answer });
    from += count;
  };

  const isHopeless = (): boolean => requests >= MAX_REQUESTS || (refusedRanges.length >= MOSTLY_BAD && refusedRanges.length > deliveredRecords);

  narrow(records, first);
  return {
    next() {
      if (from < records && isHopeless()) refuse(records - from, last);
      return from < records ? { from, to: from + size } : undefined;
    },
    delivered() {
      requests += 1;
      from += size;
      deliveredRecords += size;
      if (badBefore !== undefined && from < badBefore) size = Math.ceil((badBefore - from) / 2);
      else widen();
    },
    refused(answer) {
      requests += 1;
      last = answer;
      if (size > 1) return narrow(size, answer);
      refuse(1, answer);
      most = Number.POSITIVE_INFINITY;
      widen();
    },
    requests: () => requests,
    deliveredRecords: () => deliveredRecords,
    refusedRanges,
  };
}
