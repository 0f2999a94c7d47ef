/** Copies of the management group's database, as a backup holds them. A copy is one file, whatever the database is doing. */
import { existsSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import { DATABASE_FORMAT, openLocked } from './database.ts';

/** What a database's first bytes tell (SQLite's file format, section 1.3). */
export const DATABASE_HEAD_BYTES = 100;
const MAGIC = 'SQLite format 3\0';
const USER_VERSION_AT = 60;

/** What a copy holds. */
export interface CopyFacts {
  readonly layout: number;
  readonly agents: number;
}

/** Writes a consistent copy to `path`, where nothing is yet; mode 0600. Throws `relay.management-group.cannot-copy`. */
export function writeCopy(database: DatabaseSync, path: string): void {
  try {
    // SQLite fills an empty file, and keeps its mode.
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    database.prepare('VACUUM INTO ?').run(path);
  } catch (cause) {
    throw new RelayError('relay.management-group.cannot-copy', `The agents' database could not be copied to ${path}. Check the space on its disk.`, { cause });
  }
}

/** Copies the database of a relay that is stopped. Throws `relay.management-group.in-use` when one runs, and `relay.management-group.unreadable`. */
export function copyOfStopped(path: string, to: string): void {
  if (!existsSync(path))
    throw new RelayError(
      'relay.management-group.unreadable',
      `There is no ${path}: no relay ever ran with this data folder. Check the configuration's "data".`,
    );
  const database = openLocked(path);
  try {
    writeCopy(database, to);
  } finally {
    database.close();
  }
}

/** Throws `relay.management-group.in-use` when a relay runs with the database at `path`; one that is damaged is nobody's. */
export function mustBeUnused(path: string): void {
  if (!existsSync(path)) return;
  try {
    openLocked(path).close();
  } catch (error) {
    if (error instanceof RelayError && error.code === 'relay.management-group.unreadable') return;
    throw error;
  }
}

/** The layout that a database's first bytes tell. Throws `relay.management-group.unreadable` for no database, `relay.management-group.newer-file` for a newer release's. */
export function layoutOf(head: Buffer): number {
  if (head.length < DATABASE_HEAD_BYTES || head.toString('latin1', 0, MAGIC.length) !== MAGIC)
    throw new RelayError('relay.management-group.unreadable', "The agents' database is none: it does not begin as one. Take another backup.");
  const layout = head.readUInt32BE(USER_VERSION_AT);
  if (layout <= DATABASE_FORMAT.writes) return layout;
  throw new RelayError(
    'relay.management-group.newer-file',
    `The agents' database is of a newer release (layout ${layout}, this one reads ${DATABASE_FORMAT.writes}). Use that release.`,
  );
}

/** Looks through a copy. Throws `relay.management-group.unreadable` when it is damaged. */
export function factsOfCopy(path: string): CopyFacts {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const { quick_check: found } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (found !== 'ok') throw new Error(found);
    const { user_version: layout } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    const { agents } = database.prepare('SELECT count(*) AS agents FROM agents').get() as { agents: number };
    return { layout, agents };
  } catch (cause) {
    throw new RelayError('relay.management-group.unreadable', `The agents' database ${path} is damaged. Take another backup.`, { cause });
  } finally {
    database.close();
  }
}
