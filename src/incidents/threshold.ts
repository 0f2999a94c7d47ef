/** Of some kinds one alone is nothing: how many within a time make an incident. Pure. */

/** So many within so many milliseconds. */
export interface Threshold {
  readonly count: number;
  readonly withinMs: number;
}

/** What was counted lately, by spans of a tenth of the time. */
export interface Tally {
  readonly spans: readonly { readonly startsAt: number; readonly count: number }[];
}

const SPANS = 10;

export const EMPTY_TALLY: Tally = { spans: [] };

/**
 * Counts `count` more at `at` (milliseconds since 1970). `total` is what came within the time, to a tenth of it; `isReached` says whether that is
 * an incident. A clock that was set back begins anew.
 */
export function tallied(
  tally: Tally,
  at: number,
  count: number,
  threshold: Threshold,
): { readonly tally: Tally; readonly total: number; readonly isReached: boolean } {
  const spanMs = Math.max(1, Math.ceil(threshold.withinMs / SPANS));
  const startsAt = at - (at % spanMs);
  const recent = tally.spans.filter((span) => span.startsAt > at - threshold.withinMs && span.startsAt <= at);
  const current = recent.find((span) => span.startsAt === startsAt)?.count ?? 0;
  const spans = [...recent.filter((span) => span.startsAt !== startsAt), { startsAt, count: current + count }];
  const total = spans.reduce((sum, span) => sum + span.count, 0);
  return { tally: { spans }, total, isReached: total >= threshold.count };
}
