/**
 * One workspace's tables: what the engine does with them. Everything here is done in one thread, one step after another; a scan goes on over
 * what was there when it began, as files that go are removed only when no scan is under way.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RelayError } from '../../errors.ts';
import { syncFolderNow } from '../../files.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Destination } from '../shaping/destination.ts';
import { addRowsOf } from '../shaping/rows-of.ts';
import { createTableColumns, type TableColumns } from '../shaping/table-columns.ts';
import type { PlacedEntry } from '../staging/entry.ts';
import { type KnownColumn, openCatalogue, type StoredSegment } from './catalogue.ts';
import type { SealerOf } from './file-sealer.ts';
import { openSegmentFiles, type SegmentFiles } from './segment-files.ts';
import { createSegmentScanner, type SegmentScanner } from './segment-scanner.ts';
import { createTableBuilder, type TableBuilder } from './table-builder.ts';

/** Rows of one table and day, or bytes of JSON over all, at which rows under way become segments. Bounds what is kept in memory. */
const FULL_ROWS = 65_536;
const FULL_BYTES = 32 * 1024 * 1024;

export interface WorkspaceTablesParts {
  readonly workspaceId: WorkspaceId;
  /** The workspace's own folder. */
  readonly folder: string;
  /** A folder on a faster disk for what is new; of this workspace alone. */
  readonly hotFolder?: string | undefined;
  readonly sealerOf: SealerOf;
}

/** What changed in the tables: files that came, and files that went. */
export interface TablesChange {
  readonly added: readonly StoredSegment[];
  readonly removed: readonly StoredSegment[];
}

export interface WorkspaceTables {
  readonly workspaceId: WorkspaceId;
  /** The last staged entry whose rows are in the tables or under way. */
  addedSeq(): number;
  /** The last staged entry whose rows are in the tables for good. */
  committedSeq(): number;
  /** Adds an entry's rows to those under way. An entry that is in the tables already is passed over. */
  add(entry: PlacedEntry): void;
  /** Forgets the rows under way: their entries are to be added again. */
  abandon(): void;
  /** Whether rows under way ought to become segments now. */
  isFull(): boolean;
  /** Makes segments of the rows under way, durably. */
  commit(): TablesChange;
  /** Puts segments in the place of others, durably: all of it or nothing. */
  replace(remove: readonly StoredSegment[], add: readonly StoredSegment[], dropTable?: string): TablesChange;
  segments(): readonly StoredSegment[];
  columns(table: string): readonly KnownColumn[];
  tables(): readonly string[];
  readonly files: SegmentFiles;
  readonly scanner: SegmentScanner;
  close(): void;
}

/**
 * Opens one workspace's tables; files that belong to nothing are removed. Throws `relay.local-workspace.catalogue-unusable`, or
 * `….hot-folder-missing` while segments lie in one that is not given any more.
 */
export function openWorkspaceTables({ workspaceId, folder, hotFolder, sealerOf }: WorkspaceTablesParts): WorkspaceTables {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  syncFolderNow(dirname(folder));
  const catalogue = openCatalogue(join(folder, 'catalogue.sqlite'), workspaceId, sealerOf('catalogue'));
  const files = openSegmentFiles({ workspaceId, folders: { main: join(folder, 'segments'), hot: hotFolder }, sealerOf });
  let segments = catalogue.segments();
  if (hotFolder === undefined && segments.some(({ place }) => place === 'hot')) {
    catalogue.close();
    throw withoutHot(workspaceId);
  }
  // What is in the new folders is not there for good before they are.
  syncFolderNow(folder);
  files.sweep(segments);
  const known = catalogue.columns();
  const tables = new Map<string, TableColumns>([...known].map(([table, columns]) => [table, createTableColumns(table, columns)]));
  const underway = createUnderway(tables);
  let committed = catalogue.stagedSeq();
  const leaving = new Set<StoredSegment>();

  const put = (remove: readonly StoredSegment[], add: readonly StoredSegment[]): TablesChange => {
    const gone = new Set(remove.map(({ id }) => id));
    segments = [...segments.filter(({ id }) => !gone.has(id)), ...add];
    for (const segment of remove) if (!add.some(({ id, place }) => id === segment.id && place === segment.place)) leaving.add(segment);
    letGo();
    return { added: add, removed: remove };
  };

  const letGo = (): void => {
    if (scanner.scanning() > 0) return;
    for (const segment of leaving) files.remove(segment);
    leaving.clear();
  };

  const scanner = createSegmentScanner({
    workspaceId,
    files,
    segments: () => segments,
    columns: (table) => tables.get(table)?.all() ?? [],
    tables: () => [...tables.keys()],
    ended: letGo,
  });

  return {
    workspaceId,
    committedSeq: () => committed,
    addedSeq: () => Math.max(committed, underway.lastSeq()),
    add(entry) {
      if (entry.seq > Math.max(committed, underway.lastSeq())) underway.add(entry);
    },
    abandon: () => underway.clear(committed),
    isFull: () => underway.isFull(),
    commit() {
      const stagedSeq = underway.lastSeq();
      if (stagedSeq <= committed) return { added: [], removed: [] };
      const add = writeAll(files, underway.builders());
      const columns = [...tables.values()].flatMap((table) => table.fresh().map((column) => ({ table: table.table, column })));
      // If this fails nobody knows whether it was done: the files stay, and are looked at when the tables are opened again.
      catalogue.commit({ add, columns, stagedSeq });
      for (const table of tables.values()) table.kept();
      committed = stagedSeq;
      underway.clear(stagedSeq);
      return put([], add);
    },
    replace(remove, add, dropTable) {
      catalogue.commit({ remove: remove.map(({ id }) => id), add, ...(dropTable === undefined ? {} : { dropTable }) });
      if (dropTable !== undefined) tables.delete(dropTable);
      return put(remove, add);
    },
    segments: () => segments,
    columns: (table) => tables.get(table)?.all() ?? [],
    tables: () => [...tables.keys()],
    files,
    scanner,
    close: () => catalogue.close(),
  };
}

function withoutHot(workspaceId: WorkspaceId): RelayError {
  const message = `Segments of workspace ${workspaceId} lie in a hot folder, but none is set. Set it again, until all of them have moved.`;
  return new RelayError('relay.local-workspace.hot-folder-missing', message);
}

/** All of them or none: on a full disk what was written of them would be in the way. */
function writeAll(files: SegmentFiles, builders: readonly TableBuilder[]): readonly StoredSegment[] {
  const written: StoredSegment[] = [];
  try {
    for (const builder of builders) written.push(files.write(builder.build()));
    return written;
  } catch (cause) {
    for (const segment of written) files.remove(segment);
    throw cause;
  }
}

interface Underway {
  add(entry: PlacedEntry): void;
  lastSeq(): number;
  isFull(): boolean;
  builders(): readonly TableBuilder[];
  clear(lastSeq: number): void;
}

function createUnderway(tables: Map<string, TableColumns>): Underway {
  const builders = new Map<string, TableBuilder>();
  let bytes = 0;
  let lastSeq = 0;
  const to: Destination = {
    columnsOf(table) {
      const found = tables.get(table) ?? createTableColumns(table, []);
      tables.set(table, found);
      return found;
    },
    builderOf(table, day) {
      const name = `${day} ${table}`;
      const found = builders.get(name) ?? createTableBuilder(table, day);
      builders.set(name, found);
      return found;
    },
  };
  return {
    add(entry) {
      bytes += addRowsOf(entry, to).rawBytes;
      lastSeq = entry.seq;
    },
    lastSeq: () => lastSeq,
    isFull: () => bytes >= FULL_BYTES || [...builders.values()].some((builder) => builder.rows() >= FULL_ROWS),
    builders: () => [...builders.values()],
    clear(seq) {
      builders.clear();
      bytes = 0;
      lastSeq = seq;
    },
  };
}
