/** What is no longer new leaves the fast disk. */
import type { StoredSegment } from './catalogue.ts';
import type { TablesChange, WorkspaceTables } from './workspace-tables.ts';

const DAY_MS = 86_400_000;

/** The segments in the hot place whose day ended more than `hotDays` days ago. */
export function pastHot(segments: readonly StoredSegment[], hotDays: number, now: number): readonly StoredSegment[] {
  return segments.filter(({ place, day }) => place === 'hot' && (day + 1 + hotDays) * DAY_MS <= now);
}

/** Moves one of them to the main place, durably; undefined when all are there. */
export function coolOnce(tables: WorkspaceTables, hotDays: number, now: number): TablesChange | undefined {
  const [segment] = pastHot(tables.segments(), hotDays, now);
  if (!segment) return undefined;
  return tables.replace([segment], [tables.files.copy(segment, 'main')]);
}
