/** Small segments become larger ones: what comes slowly would otherwise leave a file for every second. */
import type { StoredSegment } from './catalogue.ts';
import type { Column } from './column.ts';
import type { SegmentContent } from './segment.ts';
import type { OpenSegment } from './segment-files.ts';
import type { Vector } from './vector.ts';
import { concatenate } from './vectors.ts';
import type { TablesChange, WorkspaceTables } from './workspace-tables.ts';

/** So many segments of one table and day, none of them of this many rows, are put together. Each row is so written again a few times at most. */
const FEW = 8;
const SMALL_ROWS = 32_768;
const LARGEST_ROWS = 131_072;
/** Bounds the memory it takes, in bytes of columns that are not packed: few rows may be large ones. */
const SMALL_BYTES = 16 * 1024 * 1024;
const LARGEST_BYTES = 64 * 1024 * 1024;

/** Segments to put together, the oldest first; undefined when there are none. */
export function findGroup(segments: readonly StoredSegment[]): readonly StoredSegment[] | undefined {
  const groups = new Map<string, StoredSegment[]>();
  for (const segment of segments) {
    if (segment.rows >= SMALL_ROWS || segment.plainBytes >= SMALL_BYTES) continue;
    const name = `${segment.place} ${segment.day} ${tierOf(segment.rows)} ${segment.table}`;
    const group = groups.get(name);
    if (group) group.push(segment);
    else groups.set(name, [segment]);
  }
  for (const group of groups.values()) if (group.length >= FEW) return upToLargest(group.sort((a, b) => a.minSeq - b.minSeq));
  return undefined;
}

// Like goes with like, so that a large one is not written again for a few rows.
function tierOf(rows: number): number {
  return Math.floor(Math.log2(Math.max(1, rows)) / 3);
}

function upToLargest(group: readonly StoredSegment[]): readonly StoredSegment[] {
  let [rows, bytes] = [0, 0];
  const end = group.findIndex((segment) => {
    rows += segment.rows;
    bytes += segment.plainBytes;
    return rows > LARGEST_ROWS || bytes > LARGEST_BYTES;
  });
  return end < 0 ? group : group.slice(0, Math.max(end, 2));
}

/** Puts these together as one, durably. Throws `relay.local-workspace.segment-damaged`; then they are as they were. */
export function mergeSegments(tables: WorkspaceTables, group: readonly StoredSegment[]): TablesChange {
  return tables.replace(group, [tables.files.write(merged(tables, group))]);
}

function merged({ files }: WorkspaceTables, group: readonly StoredSegment[]): SegmentContent {
  const columns = new Map<string, { readonly column: Column; readonly parts: (Vector | number)[] }>();
  for (const [place, segment] of group.entries()) {
    files.open(segment, (open) => addTo(columns, open, group.slice(0, place)));
    for (const { parts } of columns.values()) if (parts.length <= place) parts.push(segment.rows);
  }
  const { table, day } = group[0] as StoredSegment;
  const joined = [...columns.values()].map(({ column, parts }) => ({ column, vector: concatenate(column, parts) }));
  return { table, day, rows: group.reduce((sum, segment) => sum + segment.rows, 0), columns: joined };
}

function addTo(columns: Map<string, { column: Column; parts: (Vector | number)[] }>, open: OpenSegment, before: readonly StoredSegment[]): void {
  for (const { name, type } of open.footer.columns) {
    const vector = open.column(name);
    if (!vector) continue;
    const known = columns.get(name) ?? { column: { name, type }, parts: before.map(({ rows }) => rows) };
    columns.set(name, known);
    known.parts.push(vector);
  }
}
