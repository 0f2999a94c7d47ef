import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { By } from '../access/actor.ts';

/** A lock was set or lifted. */
export interface LockStep {
  readonly step: 'set' | 'lifted';
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: By;
  readonly reason: string;
}

/** The locks of one workspace. They are only ever added to. */
export interface LockStore {
  /** In the order in which they came. */
  all(): LockStep[];
  /** Adds one durably. */
  add(step: LockStep): void;
}

interface Row {
  step: LockStep['step'];
  at: number;
  reason: string;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
}

export function createLockStore(database: DatabaseSync, workspaceId: WorkspaceId): LockStore {
  const all = database.prepare('SELECT step, at, reason, by_kind, by_id, by_name FROM retention_locks WHERE workspace_id = ? ORDER BY seq');
  const add = database.prepare('INSERT INTO retention_locks (workspace_id, step, at, reason, by_kind, by_id, by_name) VALUES (?, ?, ?, ?, ?, ?, ?)');
  return {
    all: () => (all.all(workspaceId) as unknown as Row[]).map(({ step, at, reason, ...by }) => ({ step, at, reason, by: byOf(by) })),
    add: ({ step, at, reason, by }) => void add.run(workspaceId, step, at, reason, by.kind, by.id, by.name),
  };
}

function byOf({ by_kind: kind, by_id: id, by_name: name }: Pick<Row, 'by_kind' | 'by_id' | 'by_name'>): By {
  return { kind, id, name };
}
