import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';

/** Layout of the file; a newer relay migrates step by step, an older one refuses. */
const VERSION = 1;

/** Another relay that is just stopping gets this long, in milliseconds. */
const LOCK_WAIT_MS = 1_000;
const SQLITE_BUSY = 5;

const SCHEMA = `
  CREATE TABLE agents (
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    operating_system TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'suspended')),
    state_reason TEXT NOT NULL,
    state_since INTEGER NOT NULL,
    enrolment_key_id TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, agent_id)
  ) STRICT;
  CREATE TABLE certificates (
    fingerprint TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    added_at INTEGER NOT NULL,
    replaced_at INTEGER,
    FOREIGN KEY (workspace_id, agent_id) REFERENCES agents (workspace_id, agent_id)
  ) STRICT;
  CREATE INDEX certificates_of_agent ON certificates (workspace_id, agent_id);
  CREATE TABLE enrolment_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    sealed_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    uses INTEGER NOT NULL DEFAULT 0
  ) STRICT;
`;

/**
 * Opens the management group's own database: who may send outlives every cache. Mode 0600; every write is synced. The file stays locked as
 * long as it is open, so that two relays cannot share a data folder: the second one throws `relay.management-group.in-use`,
 * a file that cannot be read `relay.management-group.unreadable`.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = openFile(path);
  lock(database, path);
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > VERSION) {
    database.close();
    throw new RelayError(
      'relay.management-group.newer-file',
      `${path} was written by a newer relay (layout ${version}, this one reads ${VERSION}). Run that release, or restore the backup made before the upgrade.`,
    );
  }
  if (version === 0) transaction(database, () => database.exec(`${SCHEMA} PRAGMA user_version = ${VERSION};`));
  return database;
}

function openFile(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    chmodSync(path, 0o600);
    return database;
  } catch (cause) {
    throw new RelayError('relay.management-group.unreadable', `${path} cannot be opened. Check that this user may read and write it and its folder.`, {
      cause,
    });
  }
}

// SQLite's exclusive lock is the operating system's: a process that is killed lets go of it.
function lock(database: DatabaseSync, path: string): void {
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; BEGIN EXCLUSIVE; COMMIT;');
  } catch (cause) {
    database.close();
    if ((cause as { errcode?: unknown }).errcode !== SQLITE_BUSY) {
      throw new RelayError('relay.management-group.unreadable', `${path} is damaged, or no management group's file. Restore it from a backup.`, { cause });
    }
    throw new RelayError(
      'relay.management-group.in-use',
      `${path} cannot be locked: another relay runs with this data folder. Stop it, or give this one a folder of its own.`,
      { cause },
    );
  }
}

/** Runs `work` in one transaction: all of it or none. */
export function transaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (cause) {
    // On some errors, such as a full disk, SQLite has rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw cause;
  }
}
