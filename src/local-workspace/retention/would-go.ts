import type { StoredSegment } from '../tables/catalogue.ts';
import { pastRetention } from '../tables/trim.ts';
import { daysOf, type InForce } from './retention-rule.ts';

const DAY_MS = 86_400_000;

/** What a shortening removes, as of today. Days are UTC, `2026-11-23`. */
export interface WouldGo {
  readonly rows: number;
  /** Of the files that go. */
  readonly bytes: number;
  readonly oldestDay: string | undefined;
  readonly tables: readonly string[];
}

/** What is past its time after the change and is not before it. `now` in milliseconds since 1970. */
export function wouldGo(segments: readonly StoredSegment[], before: InForce, after: InForce, now: number): WouldGo {
  const goneAnyway = new Set(pastRetention(segments, (table) => daysOf(table, before), now));
  const gone = pastRetention(segments, (table) => daysOf(table, after), now).filter((segment) => !goneAnyway.has(segment));
  const oldest = gone.reduce((least, { day }) => Math.min(least, day), Number.POSITIVE_INFINITY);
  return {
    rows: gone.reduce((sum, { rows }) => sum + rows, 0),
    bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    oldestDay: gone.length === 0 ? undefined : dayText(oldest * DAY_MS),
    tables: [...new Set(gone.map(({ table }) => table))].sort(),
  };
}

/** A time's day, UTC. */
export function dayText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
