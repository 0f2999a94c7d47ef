/**
 * The tables of retention, locks and operations, in a database that is given. Changes and locks are a history: triggers refuse whoever would
 * change or remove a row of it. Of an operation, what was asked for never changes, and nothing does once it is completed.
 */
import type { DatabaseSync } from 'node:sqlite';

const BY = 'by_kind TEXT NOT NULL, by_id TEXT NOT NULL, by_name TEXT NOT NULL';

const TABLES = `
  CREATE TABLE IF NOT EXISTS retention_changes (
    seq INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    target TEXT NOT NULL CHECK (target IN ('plan', 'default', 'table')),
    table_name TEXT,
    plan TEXT,
    days INTEGER,
    source TEXT NOT NULL CHECK (source IN ('order', 'settings', 'deletion')),
    is_take_back INTEGER NOT NULL CHECK (is_take_back IN (0, 1)),
    requested_at INTEGER NOT NULL,
    effective_at INTEGER NOT NULL,
    ${BY}
  ) STRICT;
  CREATE TABLE IF NOT EXISTS retention_locks (
    seq INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    step TEXT NOT NULL CHECK (step IN ('set', 'lifted')),
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    ${BY}
  ) STRICT;
  CREATE TABLE IF NOT EXISTS retention_operations (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workspace_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('purge', 'delete-table')),
    table_name TEXT NOT NULL,
    filters BLOB,
    up_to_seq INTEGER NOT NULL,
    requested_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'completed')),
    removed_rows INTEGER NOT NULL,
    completed_at INTEGER,
    ${BY}
  ) STRICT;
  CREATE INDEX IF NOT EXISTS retention_operations_open ON retention_operations (workspace_id, seq) WHERE state <> 'completed';
  CREATE INDEX IF NOT EXISTS retention_operations_lately ON retention_operations (workspace_id, requested_at);`;

const HISTORY = ['retention_changes', 'retention_locks'] as const;
const KEPT = [...HISTORY, 'retention_operations'] as const;

// The replace trigger is for INSERT OR REPLACE, which removes rows without asking the delete trigger.
const GUARDS = [
  ...HISTORY.map((table) => guard(`${table}_no_update`, `UPDATE ON ${table}`, '1', `${table} is a history: no change`)),
  ...KEPT.map((table) => guard(`${table}_no_delete`, `DELETE ON ${table}`, '1', `${table} is a history: no removal`)),
  ...KEPT.map((table) =>
    guard(`${table}_no_replace`, `INSERT ON ${table}`, `EXISTS (SELECT 1 FROM ${table} WHERE seq = NEW.seq)`, `${table} is a history: no change`),
  ),
  guard(
    'retention_operations_same_id',
    'INSERT ON retention_operations',
    'EXISTS (SELECT 1 FROM retention_operations WHERE id = NEW.id)',
    'an operation is recorded once',
  ),
  guard('retention_operations_completed', 'UPDATE ON retention_operations', "OLD.state = 'completed'", 'an operation is completed once'),
  guard(
    'retention_operations_asked',
    'UPDATE OF seq, id, workspace_id, kind, table_name, up_to_seq, requested_at, by_kind, by_id, by_name ON retention_operations',
    '1',
    'what an operation was asked for stays',
  ),
];

function guard(name: string, before: string, when: string, message: string): string {
  return `CREATE TRIGGER IF NOT EXISTS ${name} BEFORE ${before} WHEN ${when} BEGIN SELECT RAISE(ABORT, '${message}'); END;`;
}

/** Makes the tables where they are not there. `database` is open for writing and stays the caller's; several workspaces may share it. */
export function prepareRetentionTables(database: DatabaseSync): void {
  database.exec(`BEGIN IMMEDIATE; ${TABLES} ${GUARDS.join('\n')} COMMIT;`);
}
