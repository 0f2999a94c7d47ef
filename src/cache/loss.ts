import type { BatchId } from '../batch/batch-id.ts';
import type { Kind } from '../batch/kind.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { GroupId } from './segment-format.ts';

/** Why data was given up, in the words of the ledger. */
export const LOSS_REASONS = ['cache-full', 'too-old', 'purged', 'unreadable', 'dead-letters-full', 'discarded', 'no-room-for-copy'] as const;
export type LossReason = (typeof LOSS_REASONS)[number];

/** Data that was given up: what one agent had sent of one data type. */
export interface Loss {
  readonly workspaceId: WorkspaceId;
  readonly kind: Kind;
  readonly dataType: string;
  readonly agentId: AgentId;
  readonly reason: LossReason;
  readonly batches: number;
  /** Undefined when nobody could count them. */
  readonly records?: number | undefined;
  readonly bytes: number;
  /** When the first and the last of it were received, in milliseconds since 1970. */
  readonly firstAt: number;
  readonly lastAt: number;
}

/** Losses alike in workspace, kind, data type, agent and reason, added up until they are reported. */
export interface LossEntry extends Omit<Loss, 'records'> {
  readonly id: string;
  /** Records, as far as they could be counted. */
  readonly records: number;
  /** Batches whose records could not be counted. */
  readonly uncountedBatches: number;
  /** When the first of it was given up, in milliseconds since 1970. */
  readonly enteredAt: number;
  /** Whether the workspace has been told, or the report waits in the cache. */
  readonly reported: boolean;
}

/** Entries that are told to a workspace in one batch, of which the id is settled before it is stored. */
export interface LossReport {
  readonly batchId: BatchId;
  readonly workspaceId: WorkspaceId;
  readonly entries: readonly LossEntry[];
}

/** Members of a stored group that were given up, by their places. */
export interface LossSource {
  readonly group: GroupId;
  readonly positions: readonly number[];
}

/** What was given up, durably: nothing leaves the cache undelivered without a line here first. */
export interface LossLedger {
  /**
   * Enters losses, all or none of them; resolves when they are on stable storage, rejects when they could not be written (then nothing may be
   * dropped). `source` names the stored members, if any, so that a crash between the entry and the drop is made good.
   */
  enter(losses: readonly Loss[], source?: LossSource): Promise<void>;
  /** What was entered lately; a start takes it out of the store once more, because a crash may have come before that. */
  sources(): readonly LossSource[];
  /** All entries, of one workspace or of all, the oldest first. */
  list(workspaceId?: WorkspaceId): readonly LossEntry[];
  /** What a workspace has not been told of. */
  unreported(workspaceId: WorkspaceId): readonly LossEntry[];
  /** The next report to a workspace, the same one until it is marked as reported; undefined when there is nothing to tell. */
  nextReport(workspaceId: WorkspaceId): Promise<LossReport | undefined>;
  /** Says that a report is stored durably elsewhere. */
  markReported(report: LossReport): Promise<void>;
  close(): Promise<void>;
}
