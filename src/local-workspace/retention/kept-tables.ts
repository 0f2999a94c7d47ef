import type { StoredSegment } from '../tables/catalogue.ts';
import type { TableSchema } from '../tables/column.ts';
import type { PurgeFilter } from './purge-request.ts';
import type { RetentionByTable } from './retention-policy.ts';

/** A purge as it is worked. */
export interface PurgeOrder {
  readonly operationId: string;
  readonly table: string;
  readonly filters: readonly PurgeFilter[];
  /** Rows of later staged entries stay. */
  readonly throughSeq: number;
}

/**
 * One workspace's tables, for what removes rows. The engine does it, and each call is durable when it resolves. All throw a `RelayError` when it
 * cannot be done now, such as `relay.local-workspace.tables-closed` without the key; it is tried again then.
 */
export interface KeptTables {
  schemas(): Promise<readonly TableSchema[]>;
  segments(): Promise<readonly StoredSegment[]>;
  /** The last staged entry that is on stable storage. */
  lastSeq(): number;
  trim(given: RetentionByTable & { readonly now: number }): Promise<{ readonly removed: number }>;
  cool(given: { readonly hotDays: number; readonly now: number }): Promise<{ readonly moved: number }>;
  /**
   * Looks at the next segment that this operation has not looked at; undefined when there is none. What was staged up to `throughSeq` must be in
   * the tables by then, and a table that is not there has nothing left. An operation whose steps are forgotten begins anew and ends the same.
   */
  purgeStep(order: PurgeOrder): Promise<{ readonly removedRows: number } | undefined>;
  /** Removes a table with its rows, those staged up to `throughSeq` too; one that is not there is removed already. */
  dropTable(given: { readonly table: string; readonly throughSeq: number }): Promise<{ readonly removedRows: number }>;
}
