import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { By } from '../access/actor.ts';

/** What removes rows on somebody's order: it lasts, and goes on after a restart. */
export interface Operation {
  /** `purge-<guid>` or `delete-<guid>`. */
  readonly id: string;
  readonly kind: 'purge' | 'delete-table';
  readonly table: string;
  /** Sealed, for they hold personal data; gone once the purge is completed, and never there for a deletion. */
  readonly filters: Uint8Array | undefined;
  /** The last staged entry that had been received. */
  readonly upToSeq: number;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  readonly by: By;
  readonly state: 'pending' | 'running' | 'completed';
  readonly removedRows: number;
  readonly completedAt: number | undefined;
}

export type NewOperation = Omit<Operation, 'state' | 'removedRows' | 'completedAt'>;

/** The operations of one workspace. Each call is durable when it returns. */
export interface OperationStore {
  add(operation: NewOperation): void;
  find(id: string): Operation | undefined;
  /** Those that are not completed, the oldest first. */
  open(): Operation[];
  /** When purges were requested after `since` (and not after `now`), the oldest first. */
  purgesBetween(since: number, now: number): number[];
  start(id: string): void;
  /** Adds to what was removed. */
  addRemoved(id: string, rows: number): void;
  /** Ends it; its filters go. */
  complete(id: string, at: number): void;
}

interface Row {
  id: string;
  kind: Operation['kind'];
  table_name: string;
  filters: Uint8Array | null;
  up_to_seq: number;
  requested_at: number;
  state: Operation['state'];
  removed_rows: number;
  completed_at: number | null;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
}

export function createOperationStore(database: DatabaseSync, workspaceId: WorkspaceId): OperationStore {
  const statements = {
    add: database.prepare(`
      INSERT INTO retention_operations (workspace_id, id, kind, table_name, filters, up_to_seq, requested_at, state, removed_rows, by_kind, by_id, by_name)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'pending', 0, ?, ?, ?)`),
    find: database.prepare('SELECT * FROM retention_operations WHERE workspace_id = ? AND id = ?'),
    open: database.prepare("SELECT * FROM retention_operations WHERE workspace_id = ? AND state <> 'completed' ORDER BY seq"),
    between: database.prepare(`
      SELECT requested_at AS at FROM retention_operations
      WHERE workspace_id = ? AND kind = 'purge' AND requested_at > ? AND requested_at <= ? ORDER BY requested_at`),
    start: database.prepare("UPDATE retention_operations SET state = 'running' WHERE workspace_id = ? AND id = ? AND state = 'pending'"),
    addRemoved: database.prepare('UPDATE retention_operations SET removed_rows = removed_rows + ? WHERE workspace_id = ? AND id = ?'),
    complete: database.prepare("UPDATE retention_operations SET state = 'completed', filters = NULL, completed_at = ? WHERE workspace_id = ? AND id = ?"),
  };
  return {
    add({ id, kind, table, filters, upToSeq, requestedAt, by }) {
      statements.add.run(workspaceId, id, kind, table, filters ?? null, upToSeq, requestedAt, by.kind, by.id, by.name);
    },
    find(id) {
      const row = statements.find.get(workspaceId, id) as unknown as Row | undefined;
      return row && operationOf(row);
    },
    open: () => (statements.open.all(workspaceId) as unknown as Row[]).map(operationOf),
    purgesBetween: (since, now) => (statements.between.all(workspaceId, since, now) as { at: number }[]).map(({ at }) => at),
    start: (id) => void statements.start.run(workspaceId, id),
    addRemoved: (id, rows) => void statements.addRemoved.run(rows, workspaceId, id),
    complete: (id, at) => void statements.complete.run(at, workspaceId, id),
  };
}

function operationOf(row: Row): Operation {
  const { id, kind, table_name: table, up_to_seq: upToSeq, requested_at: requestedAt, state, removed_rows: removedRows } = row;
  const by = { kind: row.by_kind, id: row.by_id, name: row.by_name };
  return { id, kind, table, filters: row.filters ?? undefined, upToSeq, requestedAt, by, state, removedRows, completedAt: row.completed_at ?? undefined };
}
