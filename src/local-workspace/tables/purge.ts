/** Removes the rows that match, for good: segments that hold some are written anew without them, and the old files go. */
import type { StoredSegment } from './catalogue.ts';
import { SEQ } from './hidden-columns.ts';
import type { SegmentContent } from './segment.ts';
import type { OpenSegment } from './segment-files.ts';
import type { NumberVector, Vector } from './vector.ts';
import { pick } from './vectors.ts';
import type { TablesChange, WorkspaceTables } from './workspace-tables.ts';

/** Which rows match. `columns`: what it looks at · `matches`: for the rows of one segment, whether a row goes. */
export interface RowFilter {
  readonly columns: readonly string[];
  matches(vectors: ReadonlyMap<string, Vector>, rows: number): (row: number) => boolean;
}

/** What one step of a purge did; undefined when no segment is left that has not been looked at. */
export interface PurgeStep {
  readonly looked: string;
  readonly removedRows: number;
  readonly change: TablesChange;
}

/** Every row that a staged entry up to this one brought. */
export function cameBy(throughSeq: number): RowFilter {
  return {
    columns: [SEQ.name],
    matches(vectors) {
      const { values } = vectors.get(SEQ.name) as NumberVector;
      return (row) => (values[row] as number) <= throughSeq;
    },
  };
}

/** Looks at the next segment of the table that is not among those done. Each step is whole: a purge that was cut off begins anew and ends the same. */
export function purgeStep(tables: WorkspaceTables, table: string, filter: RowFilter, done: ReadonlySet<string>): PurgeStep | undefined {
  const segment = tables.segments().find((one) => one.table === table && !done.has(one.id));
  if (!segment) return undefined;
  const kept = tables.files.open(segment, (open) => keptOf(open, filter, tables));
  if (kept === undefined) return { looked: segment.id, removedRows: 0, change: { added: [], removed: [] } };
  const add: StoredSegment[] = kept.rows === 0 ? [] : [tables.files.write(kept)];
  return { looked: add[0]?.id ?? segment.id, removedRows: segment.rows - kept.rows, change: tables.replace([segment], add) };
}

function keptOf(open: OpenSegment, filter: RowFilter, tables: WorkspaceTables): SegmentContent | undefined {
  const { table, day, rows, columns } = open.footer;
  const vectors = tables.scanner.vectorsOf(open, filter.columns);
  const goes = filter.matches(vectors, rows);
  const places = Uint32Array.from({ length: rows }, (_, row) => row).filter((row) => !goes(row));
  if (places.length === rows) return undefined;
  const kept = columns.map((column) => ({ column: { name: column.name, type: column.type }, vector: pick(open.column(column.name) as Vector, places) }));
  return { table, day, rows: places.length, columns: kept };
}
