/** The workspace's catalogue, read and copied beside the engine, which writes it in its own thread. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import type { Place } from '../../tables/catalogue.ts';
import type { SourceFile } from '../source.ts';

const NAME = 'catalogue.sqlite';
/** The copy's list of the copies that belong to it: a table that only a copy has. */
const COPIED_WITH = 'copied_with';
// All pages in one step: a copy in several begins anew whenever somebody writes meanwhile.
const ALL_PAGES = 2 ** 31 - 1;

/** What came with a catalogue: a copy's path, and what it is of. */
export interface CopiedWith {
  readonly path: string;
  readonly what: string;
}

export interface Folders {
  /** The workspace's own. */
  readonly folder: string;
  /** The workspace's own on the faster disk. */
  readonly hotFolder?: string | undefined;
}

/** The catalogue's file. */
export function cataloguePath(folder: string): string {
  return join(folder, NAME);
}

/** Opens a catalogue to read, beside who writes it. Throws when it is not there. */
export function openToRead(folder: string): DatabaseSync {
  return new DatabaseSync(cataloguePath(folder), { readOnly: true, timeout: 5_000 });
}

/** The segments that a catalogue names: one path each, wherever they lie now. */
export function segmentsIn(catalogue: DatabaseSync, { hotFolder }: Pick<Folders, 'hotFolder'>): SourceFile[] {
  const rows = catalogue.prepare('SELECT id, place, bytes, sha256 FROM segments').all() as unknown as readonly Row[];
  return rows.map(({ id, place, bytes, sha256 }) => {
    const at = place === 'hot' && hotFolder !== undefined ? join(hotFolder, `${id}.seg`) : undefined;
    return { path: `segments/${id}.seg`, bytes, sha256, at };
  });
}

interface Row {
  readonly id: string;
  readonly place: Place;
  readonly bytes: number;
  readonly sha256: string;
}

/** Changes when another connection has written to the catalogue. */
export function writesTo(catalogue: DatabaseSync): number {
  return (catalogue.prepare('SELECT data_version AS version FROM pragma_data_version').get() as { version: number }).version;
}

/** Copies the catalogue to a path where nothing is, without waiting for its writer. All segments have their place on the main disk in it. */
export async function snapshotTo(path: string, folders: Folders): Promise<{ readonly segments: readonly SourceFile[]; readonly stagedSeq: number }> {
  // SQLite would let others read it.
  await writeFile(path, '', { mode: 0o600, flag: 'wx' });
  const catalogue = openToRead(folders.folder);
  try {
    await backup(catalogue, path, { rate: ALL_PAGES });
  } finally {
    catalogue.close();
  }
  return withDatabase(path, (copy) => {
    // One file, with no others beside it.
    copy.exec('PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF');
    const segments = segmentsIn(copy, folders);
    copy.exec("UPDATE segments SET place = 'main' WHERE place <> 'main'");
    const { stagedSeq } = copy.prepare('SELECT staged_seq AS stagedSeq FROM progress').get() as { stagedSeq: number };
    return { segments, stagedSeq };
  });
}

/** Notes in a copy of the catalogue what was copied with it. */
export function noteCopiedWith(path: string, copies: readonly CopiedWith[]): void {
  withDatabase(path, (copy) => {
    copy.exec(
      `PRAGMA synchronous = OFF; BEGIN; DROP TABLE IF EXISTS ${COPIED_WITH}; CREATE TABLE ${COPIED_WITH} (path TEXT PRIMARY KEY, what TEXT NOT NULL) STRICT`,
    );
    const add = copy.prepare(`INSERT INTO ${COPIED_WITH} VALUES (?, ?)`);
    for (const { path: one, what } of copies) add.run(one, what);
    copy.exec('COMMIT');
  });
}

/** What was copied with the catalogue of this folder; undefined when it is no copy. */
export function copiedWith(folder: string): CopiedWith[] | undefined {
  const catalogue = openToRead(folder);
  try {
    if (!catalogue.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(COPIED_WITH)) return undefined;
    return catalogue.prepare(`SELECT path, what FROM ${COPIED_WITH} ORDER BY path`).all() as unknown as CopiedWith[];
  } finally {
    catalogue.close();
  }
}

/** From now on the catalogue of this folder is one like any other. */
export function forgetCopiedWith(folder: string): void {
  withDatabase(cataloguePath(folder), (catalogue) => catalogue.exec(`PRAGMA synchronous = FULL; DROP TABLE IF EXISTS ${COPIED_WITH}`));
}

/** Removes a copy that was not finished. */
export async function removeSnapshot(path: string): Promise<void> {
  for (const each of [path, `${path}-journal`, `${path}-wal`, `${path}-shm`]) await rm(each, { force: true });
}

function withDatabase<Result>(path: string, use: (database: DatabaseSync) => Result): Result {
  const database = new DatabaseSync(path, { timeout: 5_000 });
  try {
    return use(database);
  } finally {
    database.close();
  }
}
