import { KINDS, type Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount } from './balance.ts';
import type { Consumer } from './consumer.ts';
import type { GivingUp } from './giving-up.ts';
import type { PausedWorkspaces } from './paused.ts';
import type { PayloadStore, StoredMember } from './payload-store.ts';

/** What a purge may be limited to. */
export const PURGE_KINDS: readonly Kind[] = KINDS;

/** What an operator wants deleted. */
export interface Purge {
  /** Only what was received before, in milliseconds since 1970. */
  readonly before: number;
  readonly kind?: Kind | undefined;
  readonly dataType?: string | undefined;
}

/** What an operator may do to a workspace's cached data. Workspaces that this relay does not serve are left out. */
export interface CacheOperations {
  /** Makes the next try now. */
  retryNow(workspaceId: WorkspaceId): void;
  /** Offers nothing more upstream, or everything again, over restarts too; intake goes on. */
  pause(workspaceId: WorkspaceId, isPaused: boolean): Promise<void>;
  /** Deletes cached data, through the loss ledger; what is in flight stays. Returns what was deleted. */
  purge(workspaceId: WorkspaceId, what: Purge): Promise<Amount>;
}

export interface OperationsParts {
  readonly store: Pick<PayloadStore, 'outstanding'>;
  readonly paused: PausedWorkspaces;
  readonly laneOf: (workspaceId: WorkspaceId) => { readonly consumer: Consumer; readonly givingUp: GivingUp } | undefined;
}

export function createOperations({ store, paused, laneOf }: OperationsParts): CacheOperations {
  return {
    retryNow: (workspaceId) => laneOf(workspaceId)?.consumer.retryNow(),
    async pause(workspaceId, isPaused) {
      await paused.set(workspaceId, isPaused);
      laneOf(workspaceId)?.consumer.pause(isPaused);
    },
    async purge(workspaceId, what) {
      const lane = laneOf(workspaceId);
      const groups = store.outstanding(workspaceId).filter(({ kind, oldestAt }) => oldestAt < what.before && (what.kind ?? kind) === kind);
      return lane ? await lane.givingUp.giveUp(groups, 'purged', (member) => isMeant(member, what)) : { batches: 0, bytes: 0 };
    },
  };
}

// What cannot be read, nor says what it is, goes only when everything goes.
function isMeant({ content }: StoredMember, { before, dataType }: Purge): boolean {
  const known = content.readable ? content.batch : content.summary;
  if (!known) return dataType === undefined;
  return known.receivedAt < before && (dataType ?? known.dataType) === known.dataType;
}
