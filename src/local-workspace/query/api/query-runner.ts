/** What the Query API asks of the engine, and what it may be answered. */
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { TableSchema } from '../../tables/column.ts';
import type { QueryError, QueryTable, TimeRange } from '../result.ts';

/** Bounds on TimeGenerated in milliseconds since 1970: `from` included, `to` not. */
export type QueryTimespan = TimeRange;

export interface AskedQuery {
  readonly workspaceId: WorkspaceId;
  /** At most `MAX_QUERY_CHARS` long. */
  readonly text: string;
  /** In addition to what the text says itself. */
  readonly timespan?: QueryTimespan | undefined;
  /** What `now()` is in the query, in milliseconds since 1970. */
  readonly now: number;
  /** For what the runner wants to plan by; the API aborts the signal when the time is over. */
  readonly timeoutMs: number;
  readonly limits: { readonly rows: number; readonly bytes: number };
}

export interface TableAnswer extends Omit<QueryTable, 'truncated' | 'render'> {
  readonly truncated?: QueryTable['truncated'] | undefined;
  readonly render?: QueryTable['render'] | undefined;
  /** The tables that were read, where the runner knows. */
  readonly tables?: readonly string[] | undefined;
}

/** A fault in the query's text: where it stands, and on which word. */
export type TextFault = QueryError;

export type QueryAnswer =
  | TableAnswer
  | TextFault
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'too-large'; readonly message: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface QueryRunner {
  /** Ends with `cancelled` soon after the signal is aborted. Rejects only with surprises. */
  run(asked: AskedQuery, signal: AbortSignal): Promise<QueryAnswer>;
}

/** The tables of a workspace as they are now, none for one that was never fed; undefined while its key is taken away. */
export type TablesOf = (workspaceId: WorkspaceId) => Promise<readonly TableSchema[] | undefined>;
