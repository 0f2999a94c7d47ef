/**
 * The incidents' own file: incidents, their time lines, notices on their way out.
 *
 * Invariant: a time line is only ever added to. Triggers refuse whoever tries otherwise, with another program too; only a closed incident can go,
 * and its time line after it.
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import { inTransaction } from '../transaction.ts';

/** Another process that is just stopping gets this long, in milliseconds. */
const LOCK_WAIT_MS = 1_000;
const BUSY = 5;
/** SQLite's result codes for a file that is no database, or a broken one. */
const DAMAGED: readonly number[] = [11, 26];

/** A path for a record that is gone with the process. */
export const IN_MEMORY = ':memory:';

const STEP_1 = `
  CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warn', 'error')),
    state TEXT NOT NULL CHECK (state IN ('detected', 'assessed', 'contained', 'closed')),
    state_since INTEGER NOT NULL,
    detail TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_count INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    told_at INTEGER,
    earlier INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_open_incident ON incidents (source, kind, subject) WHERE state <> 'closed';
  CREATE INDEX incidents_by_key ON incidents (source, kind, subject, number);
  CREATE INDEX incidents_by_state ON incidents (state, state_since);
  CREATE TABLE timeline (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    text TEXT NOT NULL
  ) STRICT;
  CREATE INDEX timeline_of_incident ON timeline (incident, seq);
  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    incident INTEGER NOT NULL,
    notice TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX outbox_of_channel ON outbox (channel, next_at);
  CREATE TRIGGER timeline_no_update BEFORE UPDATE ON timeline BEGIN SELECT RAISE(ABORT, 'a time line is only added to'); END;
  CREATE TRIGGER timeline_no_delete BEFORE DELETE ON timeline WHEN EXISTS (SELECT 1 FROM incidents WHERE number = OLD.incident)
    BEGIN SELECT RAISE(ABORT, 'a time line is only added to'); END;
  CREATE TRIGGER timeline_no_replace BEFORE INSERT ON timeline WHEN EXISTS (SELECT 1 FROM timeline WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'a time line is only added to'); END;
  CREATE TRIGGER open_incidents_stay BEFORE DELETE ON incidents WHEN OLD.state <> 'closed'
    BEGIN SELECT RAISE(ABORT, 'an incident is removed only when it is closed'); END;
  CREATE TRIGGER closed_incidents_stay_closed BEFORE UPDATE ON incidents WHEN OLD.state = 'closed' AND NEW.state <> 'closed'
    BEGIN SELECT RAISE(ABORT, 'a closed incident stays closed'); END;
`;

/** Steps from an empty file to the newest layout, only ever appended to: a layout's number (`user_version`) is how many of them a file has seen. */
const STEPS: readonly string[] = [STEP_1];

/** Every layout since the first is read, by taking it to the newest. */
export const INCIDENTS_FORMAT: Format = { reads: STEPS.map((_, step) => step + 1), writes: STEPS.length };

/**
 * Opens the file (mode 0600, every write synced) and locks it for this process. What cannot be read any more is moved to `<path>.damaged` and said:
 * incidents must be recorded all the same. Throws `relay.incidents.in-use`, `relay.incidents.newer-file` and `relay.incidents.unusable`.
 */
export function openDatabase(path: string, onDamage: (message: string) => void): DatabaseSync {
  try {
    return openReadable(path);
  } catch (cause) {
    if (!isDamage(cause)) throw asRelayError(path, cause);
    onDamage(`${path} cannot be read (${messageOf(cause)}). It was moved to ${path}.damaged, and a new record of incidents begins.`);
    setAside(path);
  }
  try {
    return openReadable(path);
  } catch (cause) {
    throw asRelayError(path, cause);
  }
}

function openReadable(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    if (path !== IN_MEMORY) chmodSync(path, 0o600);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE; COMMIT;');
    const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
    if (version > STEPS.length) throw newerFile(path, version);
    if (version < STEPS.length) inTransaction(database, () => database.exec(`${STEPS.slice(version).join('')} PRAGMA user_version = ${STEPS.length};`));
    return database;
  } catch (cause) {
    database.close();
    throw cause;
  }
}

// The lower byte of a result code is its kind.
function isDamage(cause: unknown): boolean {
  return DAMAGED.includes(Number((cause as { errcode?: unknown }).errcode) & 0xff);
}

function setAside(path: string): void {
  renameSync(path, `${path}.damaged`);
  for (const rest of ['-wal', '-shm', '-journal']) rmSync(`${path}${rest}`, { force: true });
}

function newerFile(path: string, version: number): RelayError {
  return new RelayError(
    'relay.incidents.newer-file',
    `${path} was written by a newer release (layout ${version}, this one reads ${STEPS.length}). Run that release, or move the file away.`,
  );
}

function asRelayError(path: string, cause: unknown): RelayError {
  if (cause instanceof RelayError) return cause;
  if ((Number((cause as { errcode?: unknown }).errcode) & 0xff) === BUSY)
    return new RelayError('relay.incidents.in-use', `${path} is in use by another process. Stop it, or give this one a folder of its own.`, { cause });
  return new RelayError('relay.incidents.unusable', `${path} cannot be opened. Check that this user may read and write it and its folder.`, { cause });
}
