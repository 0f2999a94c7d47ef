/**
 * What a workspace's tables consist of: which segments there are, which columns each table has, and how far the staging log is worked off.
 * Invariant: one transaction puts segments in and moves the mark of the staging log, so that no staged entry is in the tables twice or not at
 * all, whenever the process ends. A file that is not in here does not exist.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, RelayError } from '../../errors.ts';
import { inTransaction } from '../../transaction.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Column } from './column.ts';
import type { FileSealer } from './file-sealer.ts';
import type { SegmentFacts } from './segment.ts';

const FORMAT = 1;
const LOCK_WAIT_MS = 5_000;

/** Where a segment's file lies: in the workspace's own folder, or in the fast one. */
export type Place = 'main' | 'hot';

/** A segment that is in the tables. */
export interface StoredSegment extends Omit<SegmentFacts, 'workspaceId'> {
  /** Name of its file, without the ending. */
  readonly id: string;
  readonly place: Place;
  readonly bytes: number;
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly sha256: string;
}

/** A column of a table, and the sender's own name for it. */
export interface KnownColumn extends Column {
  readonly source: string;
  /** Whether a stream declared it, name and type; else it came with data, and is named after what came. */
  readonly isDeclared?: true;
}

export interface Catalogue {
  segments(): readonly StoredSegment[];
  columns(): ReadonlyMap<string, readonly KnownColumn[]>;
  /** The last staged entry whose rows are in the tables; 0 before the first. */
  stagedSeq(): number;
  /** All of it or nothing, durably. */
  commit(change: CatalogueChange): void;
  close(): void;
}

export interface CatalogueChange {
  readonly add?: readonly StoredSegment[];
  /** By id. */
  readonly remove?: readonly string[];
  /** In the order in which they came. */
  readonly columns?: readonly { readonly table: string; readonly column: KnownColumn }[];
  readonly stagedSeq?: number | undefined;
  /** A table that goes, with its columns. Its segments are to be removed with it. */
  readonly dropTable?: string;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS segments (
    id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL, table_name TEXT NOT NULL, day INTEGER NOT NULL, rows INTEGER NOT NULL, plain_bytes INTEGER NOT NULL, place TEXT NOT NULL,
    min_time REAL NOT NULL, max_time REAL NOT NULL, min_received REAL NOT NULL, max_received REAL NOT NULL,
    min_seq INTEGER NOT NULL, max_seq INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS columns (ordinal INTEGER PRIMARY KEY, table_name TEXT NOT NULL, sealed BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS progress (one INTEGER PRIMARY KEY CHECK (one = 1), workspace_id TEXT NOT NULL, staged_seq INTEGER NOT NULL) STRICT;`;

const SEGMENTS = `
  SELECT id, table_name AS "table", day, rows, plain_bytes AS plainBytes, place, min_time AS minTime, max_time AS maxTime, min_received AS minReceived,
    max_received AS maxReceived, min_seq AS minSeq, max_seq AS maxSeq, bytes, sha256
  FROM segments WHERE workspace_id = ? ORDER BY min_seq, id`;

/** Opens the catalogue of one workspace, and makes it at the first call. Throws `relay.local-workspace.catalogue-unusable`. */
export function openCatalogue(path: string, workspaceId: WorkspaceId, sealer: FileSealer): Catalogue {
  let database: DatabaseSync | undefined;
  try {
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
    database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const { found } = database.prepare('SELECT user_version AS found FROM pragma_user_version').get() as { found: number };
    if (found > FORMAT) throw new Error(`it has format ${found}, this release reads ${FORMAT}; use the newer release that wrote it`);
    database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${FORMAT}; COMMIT;`);
    checkOwner(database, workspaceId);
    return createCatalogue(database, workspaceId, sealer);
  } catch (cause) {
    database?.close();
    throw new RelayError('relay.local-workspace.catalogue-unusable', `The catalogue ${path} cannot be used: ${messageOf(cause)}.`, { cause });
  }
}

function checkOwner(database: DatabaseSync, workspaceId: WorkspaceId): void {
  database.prepare('INSERT INTO progress (one, workspace_id, staged_seq) VALUES (1, ?, 0) ON CONFLICT DO NOTHING').run(workspaceId);
  const { owner } = database.prepare('SELECT workspace_id AS owner FROM progress').get() as { owner: string };
  if (owner !== workspaceId) throw new Error(`it is of workspace ${owner}, not of ${workspaceId}; put each workspace's folder back to its own place`);
}

function createCatalogue(database: DatabaseSync, workspaceId: WorkspaceId, sealer: FileSealer): Catalogue {
  const statements = {
    segments: database.prepare(SEGMENTS),
    columns: database.prepare('SELECT ordinal, table_name AS "table", sealed FROM columns ORDER BY ordinal'),
    progress: database.prepare('SELECT staged_seq AS stagedSeq FROM progress'),
    add: database.prepare('INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    remove: database.prepare('DELETE FROM segments WHERE id = ?'),
    nextOrdinal: database.prepare('SELECT coalesce(max(ordinal), 0) + 1 AS next FROM columns'),
    addColumn: database.prepare('INSERT INTO columns (ordinal, table_name, sealed) VALUES (?, ?, ?)'),
    dropColumns: database.prepare('DELETE FROM columns WHERE table_name = ?'),
    // The mark moves forward only.
    mark: database.prepare('UPDATE progress SET staged_seq = ?1 WHERE staged_seq < ?1'),
  };

  const addColumn = (table: string, column: KnownColumn): void => {
    const { next } = statements.nextOrdinal.get() as { next: number };
    statements.addColumn.run(next, table, sealer.seal(placeOf(table, next), Buffer.from(JSON.stringify(column))));
  };

  const addSegment = (one: StoredSegment): void => {
    const { id, table, day, rows, plainBytes, place, minTime, maxTime, minReceived, maxReceived, minSeq, maxSeq, bytes, sha256 } = one;
    statements.add.run(id, workspaceId, table, day, rows, plainBytes, place, minTime, maxTime, minReceived, maxReceived, minSeq, maxSeq, bytes, sha256);
  };

  return {
    segments: () => statements.segments.all(workspaceId) as unknown as StoredSegment[],
    columns() {
      const known = new Map<string, KnownColumn[]>();
      for (const row of statements.columns.all() as { ordinal: number; table: string; sealed: Uint8Array }[]) {
        const column = JSON.parse(sealer.open(placeOf(row.table, row.ordinal), row.sealed).toString('utf8')) as KnownColumn;
        known.set(row.table, [...(known.get(row.table) ?? []), column]);
      }
      return known;
    },
    stagedSeq: () => (statements.progress.get() as { stagedSeq: number }).stagedSeq,
    commit({ add = [], remove = [], columns = [], stagedSeq, dropTable }) {
      inTransaction(database, () => {
        for (const id of remove) statements.remove.run(id);
        for (const segment of add) addSegment(segment);
        for (const { table, column } of columns) addColumn(table, column);
        if (dropTable !== undefined) statements.dropColumns.run(dropTable);
        if (stagedSeq !== undefined) statements.mark.run(stagedSeq);
      });
    },
    close: () => database.close(),
  };
}

function placeOf(table: string, ordinal: number): string {
  return `column ${ordinal} of ${table}`;
}
