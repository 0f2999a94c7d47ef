/** Rows as their senders wrote them: the fields under the sender's own names. For those who look at what came, rather than ask questions of it. */
import { HOST_FIELDS } from '../shaping/rows-of.ts';
import { OVERFLOW_SOURCE } from '../shaping/table-columns.ts';
import type { KnownColumn, StoredSegment } from './catalogue.ts';
import type { ColumnType } from './column.ts';
import { AGENT, DATA_TYPE, ROW, SEQ } from './hidden-columns.ts';
import type { OpenSegment } from './segment-files.ts';
import { NO_TEXT, type Vector } from './vector.ts';
import type { WorkspaceTables } from './workspace-tables.ts';

export interface KeptRow {
  /** Its place for good: the staged entry that brought it, and which of the entry's rows it is. */
  readonly seq: number;
  readonly row: number;
  readonly table: string;
  readonly dataType: string;
  readonly agentId: string;
  /** Milliseconds since 1970. */
  readonly timeGenerated: number;
  readonly timeReceived: number;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface KeptRowFilter {
  /** Compared without regard to case. */
  readonly table?: string | undefined;
  readonly dataType?: string | undefined;
  /** Milliseconds since 1970: received then or later. */
  readonly since?: number | undefined;
  /** A text that the row's JSON holds. */
  readonly where?: string | undefined;
  /** Only rows behind this place. */
  readonly after?: { readonly seq: number; readonly row: number } | undefined;
  readonly limit: number;
  /** Which end of what matches, where there is more than `limit`. */
  readonly end: 'newest' | 'oldest';
}

/** The rows that match, in the order in which they came. */
export function keptRows(tables: WorkspaceTables, filter: KeptRowFilter): readonly KeptRow[] {
  const newest = filter.end === 'newest';
  const segments = candidates(tables.segments(), filter).sort((a, b) => (newest ? b.maxSeq - a.maxSeq : a.minSeq - b.minSeq));
  let found: KeptRow[] = [];
  for (const segment of segments) {
    const edge = newest ? found[0] : found.at(-1);
    // All that follow lie beyond what is full already.
    if (found.length >= filter.limit && edge && (newest ? segment.maxSeq < edge.seq : segment.minSeq > edge.seq)) break;
    const rows = tables.files.open(segment, (open) => matching(open, segment, tables.columns(segment.table), filter));
    found = [...found, ...rows].sort((a, b) => a.seq - b.seq || a.row - b.row);
    found = newest ? found.slice(Math.max(0, found.length - filter.limit)) : found.slice(0, filter.limit);
  }
  return found;
}

function candidates(segments: readonly StoredSegment[], { table, since, after }: KeptRowFilter): StoredSegment[] {
  return segments.filter(
    (segment) =>
      (table === undefined || segment.table.toLowerCase() === table.toLowerCase()) &&
      (since === undefined || segment.maxReceived >= since) &&
      (after === undefined || segment.maxSeq >= after.seq),
  );
}

function matching(open: OpenSegment, { table, rows }: StoredSegment, columns: readonly KnownColumn[], filter: KeptRowFilter): KeptRow[] {
  const number = (name: string, row: number): number => {
    const vector = vectors.get(name);
    return vector?.kind === 'number' ? (vector.values[row] as number) : Number.NaN;
  };
  const text = (name: string, row: number): string => String(cellOf(vectors.get(name), row) ?? '');
  const vectors = new Map<string, Vector>();
  for (const { name } of open.footer.columns) vectors.set(name, open.column(name) as Vector);
  const dataType = filter.dataType?.toLowerCase();
  const found: KeptRow[] = [];
  for (let row = 0; row < rows; row += 1) {
    const place = { seq: number(SEQ.name, row), row: number(ROW.name, row) };
    if (filter.after && (place.seq - filter.after.seq || place.row - filter.after.row) <= 0) continue;
    if (dataType !== undefined && text(DATA_TYPE.name, row).toLowerCase() !== dataType) continue;
    const timeReceived = number('_TimeReceived', row);
    if (filter.since !== undefined && timeReceived < filter.since) continue;
    const data = dataOf(columns, vectors, row);
    if (filter.where !== undefined && !JSON.stringify(data).includes(filter.where)) continue;
    const tags = { table, dataType: text(DATA_TYPE.name, row), agentId: text(AGENT.name, row) };
    found.push({ ...place, ...tags, timeGenerated: number('TimeGenerated', row), timeReceived, data });
  }
  return found;
}

function dataOf(columns: readonly KnownColumn[], vectors: ReadonlyMap<string, Vector>, row: number): Record<string, unknown> {
  const fields = new Map<string, unknown>();
  for (const { name, type, source } of columns) {
    const cell = cellOf(vectors.get(name), row);
    if (cell === undefined) continue;
    const value = written(cell, type);
    if (source !== OVERFLOW_SOURCE) fields.set(source, value);
    else for (const [more, one] of Object.entries(value as object)) fields.set(more, one);
  }
  const computer = cellOf(vectors.get('Computer'), row);
  // A host under another name is there already.
  if (computer !== undefined && !HOST_FIELDS.some((name) => fields.get(name) === computer)) fields.set('Computer', computer);
  return Object.fromEntries(fields);
}

function cellOf(vector: Vector | undefined, row: number): string | number | undefined {
  if (vector === undefined) return undefined;
  if (vector.kind === 'number') {
    const value = vector.values[row] as number;
    return Number.isNaN(value) ? undefined : value;
  }
  const code = vector.codes[row] as number;
  return code === NO_TEXT ? undefined : vector.dictionary[code];
}

function written(cell: string | number, type: ColumnType): unknown {
  if (type === 'datetime') return new Date(cell as number).toISOString();
  if (type === 'bool') return cell === 1;
  return type === 'dynamic' ? JSON.parse(cell as string) : cell;
}
