/** What the Query API needs of access and audit; other folders provide it. */
import type { Request } from '@hapi/hapi';
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { Actor, Authorised } from '../../access/actor.ts';
import type { Action } from '../../access/rights.ts';

export type QueryAction = Extract<Action, 'query' | 'tables.list' | 'saved-query.read' | 'saved-query.write'>;

/** Who asks. Limits are counted by `kind` and `id`. */
export type QueryActor = Actor;

/** Decides by the request's credentials. Refused attempts are entered in the audit log there, not here. */
export type Authorise = (request: Request, workspaceId: WorkspaceId, action: QueryAction) => Authorised | Promise<Authorised>;

/** How a query ended. */
export type QueryOutcome = 'done' | 'partial' | 'syntax-error' | 'semantic-error' | 'too-large' | 'unavailable' | 'timeout' | 'cancelled' | 'failed';

/** A query that ran, for the audit log. */
export interface QueryAudit {
  readonly actor: QueryActor;
  readonly workspaceId: WorkspaceId;
  /** An address, or `socket`. */
  readonly from: string;
  readonly correlationId: string;
  /** The first 1,000 characters of the query; its hidden strings (`h"…"`) are struck out. */
  readonly text: string;
  readonly outcome: QueryOutcome;
  readonly rows: number;
  readonly scannedRows: number;
  readonly durationMs: number;
}

/** Enters a query; its answer goes out after this resolves. */
export type AuditQuery = (entry: QueryAudit) => void | Promise<void>;

/** Enters a change of a saved query. */
export type AuditSavedQuery = (entry: {
  readonly actor: QueryActor;
  readonly workspaceId: WorkspaceId;
  readonly from: string;
  readonly action: 'saved-query.put' | 'saved-query.delete';
  readonly name: string;
}) => void | Promise<void>;
