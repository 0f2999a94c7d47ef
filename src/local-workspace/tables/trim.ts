/** Removes what is past its time. Segments are of one day, so whole files go; a row may stay up to a day longer than its table's retention says. */
import type { StoredSegment } from './catalogue.ts';
import type { TablesChange, WorkspaceTables } from './workspace-tables.ts';

const DAY_MS = 86_400_000;

/** How long a table's rows are kept, in days. */
export type RetentionOf = (table: string) => number;

/** The segments whose day is over for longer than their table's retention. `now` in milliseconds since 1970. */
export function pastRetention(segments: readonly StoredSegment[], retentionOf: RetentionOf, now: number): readonly StoredSegment[] {
  return segments.filter(({ table, day }) => (day + 1 + retentionOf(table)) * DAY_MS <= now);
}

/** Removes them, durably. */
export function trim(tables: WorkspaceTables, retentionOf: RetentionOf, now: number): TablesChange {
  const gone = pastRetention(tables.segments(), retentionOf, now);
  return gone.length === 0 ? { added: [], removed: [] } : tables.replace(gone, []);
}
