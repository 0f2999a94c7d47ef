/**
 * The file of tokens, requests and decisions: `access.sqlite` in the data folder. It is a history: what was granted, asked and decided is only
 * ever added to, and triggers refuse whoever tries otherwise with another program. Only the days of last use change.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, RelayError } from '../../errors.ts';
import { syncFolder } from '../../files.ts';

const FORMAT = 1;
/** How long a writer waits for a lock, in milliseconds. */
const LOCK_WAIT_MS = 5_000;

const BY = 'by_kind TEXT NOT NULL, by_id TEXT NOT NULL, by_name TEXT NOT NULL';

const TABLES = `
  CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('reader', 'contributor', 'data-purger', 'owner', 'support')),
    secret_sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ${BY}
  ) STRICT;
  CREATE TABLE IF NOT EXISTS token_workspaces (
    token_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    PRIMARY KEY (token_id, workspace_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tokens_of_workspace ON token_workspaces (workspace_id);
  CREATE TABLE IF NOT EXISTS revocations (
    token_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    ${BY},
    PRIMARY KEY (token_id, workspace_id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS token_uses (
    token_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    day TEXT NOT NULL,
    PRIMARY KEY (token_id, workspace_id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS requests (
    id TEXT PRIMARY KEY,
    token_id TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('reader', 'contributor', 'data-purger', 'owner')),
    reason TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    ${BY}
  ) STRICT;
  CREATE INDEX IF NOT EXISTS requests_of_workspace ON requests (workspace_id, token_id);
  CREATE TABLE IF NOT EXISTS steps (
    seq INTEGER PRIMARY KEY,
    request_id TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('approved', 'rejected', 'expired', 'withdrawn', 'ended')),
    at INTEGER NOT NULL,
    ${BY},
    comment TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS steps_of_request ON steps (request_id);`;

/** The tables that are a history, with what tells two of their rows apart. */
const HISTORY = {
  tokens: ['id'],
  token_workspaces: ['token_id', 'workspace_id'],
  revocations: ['token_id', 'workspace_id'],
  requests: ['id'],
  steps: ['seq'],
} as const;

// The third trigger is for INSERT OR REPLACE, which removes rows without asking the second.
const GUARDS = Object.entries(HISTORY).map(
  ([table, key]) => `
  CREATE TRIGGER IF NOT EXISTS ${table}_no_update BEFORE UPDATE ON ${table} BEGIN SELECT RAISE(ABORT, '${table} are a history: no change'); END;
  CREATE TRIGGER IF NOT EXISTS ${table}_no_delete BEFORE DELETE ON ${table} BEGIN SELECT RAISE(ABORT, '${table} are a history: no removal'); END;
  CREATE TRIGGER IF NOT EXISTS ${table}_no_replace BEFORE INSERT ON ${table}
    WHEN EXISTS (SELECT 1 FROM ${table} WHERE ${key.map((column) => `${column} = NEW.${column}`).join(' AND ')})
    BEGIN SELECT RAISE(ABORT, '${table} are a history: no change'); END;`,
);

// Decided once, and nothing after the end.
const ORDER_OF_STEPS = `
  CREATE TRIGGER IF NOT EXISTS steps_in_order BEFORE INSERT ON steps
    WHEN EXISTS (SELECT 1 FROM steps WHERE request_id = NEW.request_id AND (step <> 'approved' OR NEW.step NOT IN ('withdrawn', 'ended')))
    BEGIN SELECT RAISE(ABORT, 'a request is decided once'); END;`;

/** Opens the file, and makes it (mode 0600) at the first call. The data folder must be there. Throws `relay.local-workspace.database-unusable`. */
export async function openAccessDatabase(dataFolder: string): Promise<DatabaseSync> {
  const path = join(dataFolder, 'access.sqlite');
  try {
    // SQLite would make it readable for others; its own two files take over the mode of this one.
    await (await open(path, 'a', 0o600)).close();
    await syncFolder(dataFolder);
    return openFile(path);
  } catch (cause) {
    throw new RelayError('relay.local-workspace.database-unusable', `The database ${path} cannot be used: ${messageOf(cause)}.`, { cause });
  }
}

function openFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    // FULL: a grant or a revocation is on stable storage before it is answered.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const { found } = database.prepare('SELECT user_version AS found FROM pragma_user_version').get() as { found: number };
    if (found > FORMAT) throw new Error(`it has format ${found}, this release reads ${FORMAT}; use the newer release that wrote it`);
    database.exec(`BEGIN IMMEDIATE; ${TABLES} ${GUARDS.join('')} ${ORDER_OF_STEPS} PRAGMA user_version = ${FORMAT}; COMMIT;`);
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}
