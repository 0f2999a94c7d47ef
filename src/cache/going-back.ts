import type { Retry } from '../batch/verdict.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { GroupIndex, TakenGroup } from './group-index.ts';
import type { GroupId } from './segment-format.ts';

export interface Returning {
  readonly taken: TakenGroup;
  readonly retry: Retry;
}

/** Groups that found the workspace out of reach: they go back to the index together, once all in flight have settled. */
export interface GoingBack {
  add(returning: Returning): void;
  /** Those that wait to go back; they are the caller's now. */
  withdrawAll(): Returning[];
  /** Puts them back, in order. Never rejects; true when there were any. */
  giveBack(): Promise<boolean>;
  /** Those that wait to go back. */
  waiting(): readonly TakenGroup[];
  /** All that are not back yet. */
  ids(): GroupId[];
}

export function createGoingBack(workspaceId: WorkspaceId, index: GroupIndex, log: Logger): GoingBack {
  const waiting: Returning[] = [];
  /** On their way. */
  const leaving = new Set<GroupId>();

  const putBack = async (taken: TakenGroup): Promise<void> => {
    try {
      await index.putBack(taken);
    } catch (error) {
      log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be put back; it is offered again when found to be lost');
    }
    leaving.delete(taken.id);
  };

  return {
    add: (returning) => void waiting.push(returning),
    withdrawAll: () => waiting.splice(0),
    async giveBack() {
      const groups = waiting.splice(0).map(({ taken }) => taken);
      for (const { id } of groups) leaving.add(id);
      // The youngest first, so that the oldest is the next to be taken.
      groups.sort((a, b) => b.oldestAt - a.oldestAt || b.id.localeCompare(a.id, undefined, { numeric: true }));
      for (const taken of groups) await putBack(taken);
      return groups.length > 0;
    },
    waiting: () => waiting.map(({ taken }) => taken),
    ids: () => [...waiting.map(({ taken }) => taken.id), ...leaving],
  };
}
