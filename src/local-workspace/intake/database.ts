/**
 * One workspace's register: who may send to it, and a receipt of everything it took; the data itself is in the staging log and the tables. What
 * it keeps is immutable: no statement here changes or removes a row of `batches` or `calls`, and triggers refuse whoever tries with another program.
 */
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, RelayError } from '../../errors.ts';
import { makePrivateFolder } from '../../files.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';

const FORMAT = 2;
/** How long a writer waits for a lock, in milliseconds; readers never wait in WAL mode. */
const LOCK_WAIT_MS = 5_000;

/** The tables of receipts, by `seq`: rows are only ever added. */
export const RECEIPT_TABLES = ['batches', 'calls', 'restored'] as const;

const TABLES = `
  CREATE TABLE IF NOT EXISTS batches (
    seq INTEGER PRIMARY KEY,
    batch_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    sender_id TEXT NOT NULL,
    data_type TEXT NOT NULL,
    solution TEXT NOT NULL,
    received_at TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    records INTEGER NOT NULL,
    repeated INTEGER NOT NULL CHECK (repeated IN (0, 1))
  ) STRICT;
  CREATE INDEX IF NOT EXISTS batches_by_id ON batches (batch_id);
  CREATE TABLE IF NOT EXISTS certificates (
    fingerprint TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    operating_system TEXT NOT NULL,
    registered_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS authorities (
    relay_id TEXT PRIMARY KEY,
    statement TEXT NOT NULL,
    told_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY,
    immutable_id TEXT NOT NULL,
    stream TEXT NOT NULL,
    table_name TEXT NOT NULL,
    client_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    received_at TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    wire_bytes INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS restored (
    seq INTEGER PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    table_name TEXT NOT NULL,
    rows INTEGER NOT NULL,
    received_at TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), workspace_id TEXT NOT NULL) STRICT;`;

// The third trigger is for INSERT OR REPLACE, which removes rows without asking the second.
const GUARDS = RECEIPT_TABLES.map(
  (table) => `
  CREATE TRIGGER IF NOT EXISTS ${table}_no_update BEFORE UPDATE ON ${table} BEGIN SELECT RAISE(ABORT, '${table} are kept as they came: no change'); END;
  CREATE TRIGGER IF NOT EXISTS ${table}_no_delete BEFORE DELETE ON ${table} BEGIN SELECT RAISE(ABORT, '${table} are kept as they came: no removal'); END;
  CREATE TRIGGER IF NOT EXISTS ${table}_no_replace BEFORE INSERT ON ${table} WHEN EXISTS (SELECT 1 FROM ${table} WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, '${table} are kept as they came: no change'); END;`,
).join('');

/** Opens a workspace's file for writing, and makes it at the first call. Throws `relay.local-workspace.database-unusable`. */
export async function openDatabase(dataFolder: string, workspaceId: WorkspaceId): Promise<DatabaseSync> {
  await makePrivateFolder(folderOf(dataFolder));
  const path = databasePath(dataFolder, workspaceId);
  return guarded(path, () => {
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
    // FULL: a commit is on stable storage before the sender gets its 200.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    checkFormat(database);
    database.exec(`BEGIN IMMEDIATE; ${TABLES} ${GUARDS} PRAGMA user_version = ${FORMAT}; COMMIT;`);
    database.prepare('INSERT INTO owner (one, workspace_id) VALUES (1, ?) ON CONFLICT DO NOTHING').run(workspaceId);
    checkOwner(database, workspaceId);
    return database;
  });
}

/** Opens a workspace's file for reading; the process that writes it need not run. Throws `relay.local-workspace.database-unusable`. */
export function openDatabaseToRead(dataFolder: string, workspaceId: WorkspaceId): DatabaseSync {
  const path = databasePath(dataFolder, workspaceId);
  return guarded(path, () => {
    const database = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
    checkFormat(database);
    checkOwner(database, workspaceId);
    return database;
  });
}

/** The workspaces that have a file in this data folder, in the order of their ids. */
export async function listDatabases(dataFolder: string): Promise<WorkspaceId[]> {
  const names = await readdir(folderOf(dataFolder)).catch(() => []);
  const ids = names.filter((name) => name.endsWith('.sqlite')).map((name) => readWorkspaceId(name.slice(0, -'.sqlite'.length)));
  return ids.filter((id) => id !== undefined).sort();
}

/** The folder of one workspace's own files. */
export function workspaceFolder(dataFolder: string, workspaceId: WorkspaceId): string {
  return join(folderOf(dataFolder), workspaceId);
}

/** Where the key of a workspace's private storage is kept, wrapped. */
export function storageKeyFolder(dataFolder: string, workspaceId: WorkspaceId): string {
  return join(workspaceFolder(dataFolder, workspaceId), 'private-storage');
}

/** A workspace's register. */
export function databasePath(dataFolder: string, workspaceId: WorkspaceId): string {
  return join(folderOf(dataFolder), `${workspaceId}.sqlite`);
}

function folderOf(dataFolder: string): string {
  return join(dataFolder, 'workspaces');
}

function checkFormat(database: DatabaseSync): void {
  const row = database.prepare('SELECT user_version AS found FROM pragma_user_version').get() as { found: number } | undefined;
  const found = row?.found ?? 0;
  if (found > FORMAT) throw new Error(`it has format ${found}, this release reads ${FORMAT}; use the newer release that wrote it`);
  if (found === 1) throw new Error('it is of a release that kept records in the clear; begin with an empty data folder, and keep this one with that release');
}

function checkOwner(database: DatabaseSync, workspaceId: WorkspaceId): void {
  const { owner } = database.prepare('SELECT workspace_id AS owner FROM owner').get() as { owner: string };
  if (owner !== workspaceId) throw new Error(`it is of workspace ${owner}, not of ${workspaceId}; put each workspace's register back to its own place`);
}

function guarded(path: string, open: () => DatabaseSync): DatabaseSync {
  try {
    return open();
  } catch (cause) {
    throw new RelayError('relay.local-workspace.database-unusable', `The database ${path} cannot be used: ${messageOf(cause)}.`, { cause });
  }
}
