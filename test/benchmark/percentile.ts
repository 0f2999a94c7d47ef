/** The value that the share `q` (0 to 1) of all values does not exceed, by the nearest rank; 0 of none. `sorted` ascends. */
export function percentile(sorted: ArrayLike<number>, q: number): number {
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[Math.min(rank, sorted.length) - 1] ?? 0;
}

/** What is told of many durations, in milliseconds. */
export interface Spread {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

export function spreadOf(durationsMs: readonly number[]): Spread {
  const sorted = Float64Array.from(durationsMs).sort();
  return { p50Ms: percentile(sorted, 0.5), p99Ms: percentile(sorted, 0.99), maxMs: percentile(sorted, 1) };
}
