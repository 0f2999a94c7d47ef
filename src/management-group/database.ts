import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import { inTransaction } from '../transaction.ts';

/** Another relay that is just stopping gets this long, in milliseconds. */
const LOCK_WAIT_MS = 1_000;
const SQLITE_BUSY = 5;

/** The first layout. */
const STEP_1 = `
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

/** What is known of an agent beside its state; keys with a limit of uses; tokens that are good once. */
const STEP_2 = `
  ALTER TABLE agents ADD COLUMN display_name TEXT;
  ALTER TABLE agents ADD COLUMN version TEXT NOT NULL DEFAULT '';
  ALTER TABLE agents ADD COLUMN solutions TEXT NOT NULL DEFAULT '{}';
  ALTER TABLE agents ADD COLUMN received_batches INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN received_bytes INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE agents ADD COLUMN moved_from TEXT;
  ALTER TABLE enrolment_keys ADD COLUMN max_uses INTEGER;
  CREATE TABLE one_time_tokens (
    id TEXT PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    agent_name TEXT,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    redeemed_at INTEGER,
    revoked_at INTEGER
  ) STRICT;
`;

/** Certificates that the authority issued, and the public keys that agents enrolled with. */
const STEP_3 = `
  CREATE TABLE issued_certificates (
    fingerprint TEXT PRIMARY KEY,
    serial TEXT NOT NULL,
    issuer TEXT NOT NULL,
    workspace_id TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    removed_at INTEGER
  ) STRICT;
  CREATE INDEX issued_certificates_of_agent ON issued_certificates (workspace_id, agent_id, issued_at);
  CREATE TABLE agent_keys (
    workspace_id TEXT NOT NULL,
    key_hash TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    token_id TEXT,
    noted_at INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, key_hash)
  ) STRICT;
`;

/** Secrets of senders that have no certificate of their own; whose they are is in `agents`, by the id alone, which stays when a sender moves. */
const STEP_4 = `
  CREATE TABLE sender_secrets (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    sealed_text BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
  ) STRICT;
  CREATE INDEX sender_secrets_of_agent ON sender_secrets (agent_id);
`;

/** Steps from an empty file to the newest layout, only ever appended to: a layout's number (`user_version`) is how many of them a file has seen. */
const STEPS: readonly string[] = [STEP_1, STEP_2, STEP_3, STEP_4];

/** Every layout since the first is read, by taking it to the newest: what was opened once is of that one. */
export const DATABASE_FORMAT: Format = { reads: STEPS.map((_, step) => step + 1), writes: STEPS.length };

/**
 * Opens the management group's own database: who may send outlives every cache. Mode 0600; every write is synced. The file stays locked as
 * long as it is open, so that two relays cannot share a data folder: the second one throws `relay.management-group.in-use`,
 * a file that cannot be read `relay.management-group.unreadable`.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = openLocked(path);
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > STEPS.length) {
    database.close();
    throw new RelayError(
      'relay.management-group.newer-file',
      `${path} was written by a newer relay (layout ${version}, this one reads ${STEPS.length}). Run that release, or restore the backup made before the upgrade.`,
    );
  }
  if (version < STEPS.length) inTransaction(database, () => database.exec(`${STEPS.slice(version).join('')} PRAGMA user_version = ${STEPS.length};`));
  return database;
}

/** Opens and locks the file, and leaves its layout as it is. Throws as `openDatabase`. */
export function openLocked(path: string): DatabaseSync {
  const database = openFile(path);
  lock(database, path);
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
