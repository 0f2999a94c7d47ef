import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { By } from './actor.ts';
import type { Step, Timing } from './request-state.ts';
import type { Role } from './rights.ts';

/** What happened to a request. */
export interface StoredStep {
  readonly step: Step;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly by: By;
  readonly comment: string;
}

/** A support person's request for a role in a workspace. */
export interface StoredRequest extends Timing {
  readonly id: string;
  /** The support person's token. */
  readonly supportId: string;
  readonly workspaceId: WorkspaceId;
  readonly role: Role;
  readonly reason: string;
  readonly requestedBy: By;
  readonly steps: readonly StoredStep[];
}

export interface RequestStore {
  add(request: Omit<StoredRequest, 'steps'>): void;
  find(id: string): StoredRequest | undefined;
  /** The newest of a workspace, so many at most. */
  of(workspaceId: WorkspaceId, limit: number): StoredRequest[];
  /** Those without a noted end: of a support person in a workspace, or all. */
  open(of?: { readonly supportId: string; readonly workspaceId: WorkspaceId }): StoredRequest[];
  /** Adds a step. Throws when the request has been decided or has ended. */
  addStep(id: string, step: StoredStep): void;
}

interface Row {
  id: string;
  token_id: string;
  workspace_id: WorkspaceId;
  role: Role;
  reason: string;
  duration_ms: number;
  requested_at: number;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
}

interface StepRow {
  step: Step;
  at: number;
  by_kind: By['kind'];
  by_id: string;
  by_name: string;
  comment: string;
}

const IS_OPEN = "NOT EXISTS (SELECT 1 FROM steps WHERE request_id = requests.id AND step <> 'approved')";

/** Keeps requests and their steps in the access database, which stays the caller's. */
export function createRequestStore(database: DatabaseSync): RequestStore {
  const insert = database.prepare('INSERT INTO requests VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const insertStep = database.prepare('INSERT INTO steps (request_id, step, at, by_kind, by_id, by_name, comment) VALUES (?, ?, ?, ?, ?, ?, ?)');
  const byId = database.prepare('SELECT * FROM requests WHERE id = ?');
  const newest = database.prepare('SELECT * FROM requests WHERE workspace_id = ? ORDER BY requested_at DESC, rowid DESC LIMIT ?');
  const open = database.prepare(`SELECT * FROM requests WHERE ${IS_OPEN}`);
  const openOf = database.prepare(`SELECT * FROM requests WHERE workspace_id = ? AND token_id = ? AND ${IS_OPEN}`);
  const stepsOf = database.prepare('SELECT * FROM steps WHERE request_id = ? ORDER BY seq');

  const fromRow = (row: Row): StoredRequest => ({
    id: row.id,
    supportId: row.token_id,
    workspaceId: row.workspace_id,
    role: row.role,
    reason: row.reason,
    durationMs: row.duration_ms,
    requestedAt: row.requested_at,
    requestedBy: { kind: row.by_kind, id: row.by_id, name: row.by_name },
    steps: (stepsOf.all(row.id) as unknown as StepRow[]).map(stepFromRow),
  });
  const all = (rows: unknown): StoredRequest[] => (rows as Row[]).map(fromRow);

  return {
    add({ id, supportId, workspaceId, role, reason, durationMs, requestedAt, requestedBy: by }) {
      insert.run(id, supportId, workspaceId, role, reason, durationMs, requestedAt, by.kind, by.id, by.name);
    },
    find(id) {
      const row = byId.get(id) as Row | undefined;
      return row && fromRow(row);
    },
    of: (workspaceId, limit) => all(newest.all(workspaceId, limit)),
    open: (of) => all(of ? openOf.all(of.workspaceId, of.supportId) : open.all()),
    addStep(id, { step, at, by, comment }) {
      insertStep.run(id, step, at, by.kind, by.id, by.name, comment);
    },
  };
}

function stepFromRow(row: StepRow): StoredStep {
  return { step: row.step, at: row.at, by: { kind: row.by_kind, id: row.by_id, name: row.by_name }, comment: row.comment };
}
