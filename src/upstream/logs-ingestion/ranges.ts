import type { Refused } from '../../batch/verdict.ts';
import type { RecordRange } from '../search.ts';

/** Records of a batch, from `from` up to `to`. */
export type Range = RecordRange;

export interface RefusedRange extends Range, Pick<Refused, 'status' | 'answer'> {}

/** In order, neighbours joined. */
export function asRanges(ranges: readonly Range[]): Range[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

/** Those of `records` that are in none of the ranges. */
export function rangesWithout(records: number, ranges: readonly Range[]): Range[] {
  const left: Range[] = [];
  let at = 0;
  for (const { from, to } of [...asRanges(ranges), { from: records, to: records }]) {
    if (from > at) left.push({ from: at, to: from });
    at = Math.max(at, to);
  }
  return left;
}

/** In order, neighbours with the same answer joined. */
export function joinRefused(ranges: readonly RefusedRange[]): RefusedRange[] {
  const joined: RefusedRange[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && last.to === range.from && last.status === range.status && last.answer === range.answer) joined.splice(-1, 1, { ...last, to: range.to });
    else joined.push(range);
  }
  return joined;
}
