import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { KnownColumn, StoredSegment } from './catalogue.ts';
import { COMMON_COLUMNS, type Column, type TableSchema } from './column.ts';
import { ROW, SEQ } from './hidden-columns.ts';
import { lazyVectors } from './lazy-vectors.ts';
import type { Chunk, Scanner, ScanRequest } from './scan.ts';
import type { OpenSegment, SegmentFiles } from './segment-files.ts';
import type { NumberVector, TextVector, Vector } from './vector.ts';

export interface SegmentScannerParts {
  readonly workspaceId: WorkspaceId;
  readonly files: SegmentFiles;
  readonly segments: () => readonly StoredSegment[];
  readonly columns: (table: string) => readonly KnownColumn[];
  readonly tables: () => readonly string[];
  /** Told when a scan has ended. */
  readonly ended: () => void;
}

export interface SegmentScanner extends Scanner {
  /** How many scans are under way. */
  scanning(): number;
  /** Keeps the files that there are now until it is let go: as a scan does. */
  hold(): number;
  release(hold: number): void;
  /** The columns of an open segment as queries see them, made ones too. */
  vectorsOf(open: OpenSegment, columns: readonly string[]): ReadonlyMap<string, Vector>;
}

/** Reads segments column by column. What all rows have alike is made here, from the tag that the segment bears. */
export function createSegmentScanner(parts: SegmentScannerParts): SegmentScanner {
  const { workspaceId, files } = parts;
  let scanning = 0;
  let lastHold = 0;
  const holds = new Set<number>();

  const scan = async function* ({ table, columns, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: ScanRequest): AsyncGenerator<Chunk> {
    const found = parts.segments().filter((segment) => segment.table === table && segment.maxTime >= from && segment.minTime < to);
    scanning += 1;
    try {
      for (const segment of found) {
        // Reading nothing is free: the catalogue knows how many rows there are.
        yield columns.length === 0
          ? { rows: segment.rows, vectors: new Map() }
          : { rows: segment.rows, vectors: reached(files.reach(segment), columns, workspaceId) };
      }
    } finally {
      scanning -= 1;
      parts.ended();
    }
  };

  return {
    scanning: () => scanning + holds.size,
    hold() {
      lastHold += 1;
      holds.add(lastHold);
      return lastHold;
    },
    release(hold) {
      if (holds.delete(hold)) parts.ended();
    },
    tables: () => parts.tables().map((name) => schemaOf(name, parts.columns(name))),
    scan,
    vectorsOf: (open, columns) => vectorsOf(open, columns, workspaceId),
  };
}

/** A table's columns as queries see them: those that all tables have first. */
export function schemaOf(name: string, columns: readonly KnownColumn[]): TableSchema {
  return { name, columns: [...COMMON_COLUMNS, ...columns.map(({ name: column, type }): Column => ({ name: column, type }))] };
}

function vectorsOf(open: OpenSegment, columns: readonly string[], workspaceId: WorkspaceId): ReadonlyMap<string, Vector> {
  const { rows, table } = open.footer;
  const vectors = new Map<string, Vector>();
  for (const name of columns) {
    const vector = madeVector(name, { open, rows, table, workspaceId }) ?? open.column(name);
    if (vector) vectors.set(name, vector);
  }
  return vectors;
}

function reached(open: OpenSegment, columns: readonly string[], workspaceId: WorkspaceId): ReadonlyMap<string, Vector> {
  const { rows, table } = open.footer;
  return lazyVectors(columns, (name) => madeVector(name, { open, rows, table, workspaceId }) ?? open.column(name));
}

interface Making {
  readonly open: OpenSegment;
  readonly rows: number;
  readonly table: string;
  readonly workspaceId: WorkspaceId;
}

function madeVector(name: string, { open, rows, table, workspaceId }: Making): Vector | undefined {
  if (name === 'TenantId') return alike('guid', workspaceId, rows);
  if (name === 'Type') return alike('string', table, rows);
  if (name !== '_ItemId') return undefined;
  const [seqs, places] = [SEQ, ROW].map((column) => (open.column(column.name) as NumberVector).values);
  const dictionary = Array.from({ length: rows }, (_, at) => itemIdOf(workspaceId, seqs?.[at] as number, places?.[at] as number));
  return { kind: 'text', type: 'guid', dictionary, codes: Uint32Array.from({ length: rows }, (_, at) => at) };
}

function alike(type: TextVector['type'], text: string, rows: number): TextVector {
  return { kind: 'text', type, dictionary: [text], codes: new Uint32Array(rows) };
}

/** The name of a row for good, as a UUID of version 8 (RFC 9562 §5.8): the workspace's first digits, the staged entry, and the place in it. */
export function itemIdOf(workspaceId: string, seq: number, row: number): string {
  const entry = seq.toString(16).padStart(14, '0');
  return `${workspaceId.slice(0, 8)}-${entry.slice(0, 4)}-8${entry.slice(4, 7)}-8${entry.slice(7, 10)}-${entry.slice(10)}${row.toString(16).padStart(8, '0')}`;
}
