import type { Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount } from './balance.ts';
import type { StoredGroup } from './payload-store.ts';
import type { GroupId } from './segment-format.ts';

/**
 * Groups that are stored but not yet in the index, so not acknowledged: reconciling must not take them for forgotten ones, a full cache must not
 * drop them, and the balance must not count them.
 */
export interface Indexing {
  begin(group: StoredGroup): void;
  end(id: GroupId): void;
  has(id: GroupId): boolean;
  amountOf(workspaceId: WorkspaceId, kind: Kind): Amount;
}

export function createIndexing(): Indexing {
  const groups = new Map<GroupId, StoredGroup>();
  return {
    begin: (group) => void groups.set(group.id, group),
    end: (id) => void groups.delete(id),
    has: (id) => groups.has(id),
    amountOf(workspaceId, kind) {
      const own = [...groups.values()].filter((group) => group.workspaceId === workspaceId && group.kind === kind);
      return own.reduce((sum, { batches, bytes }) => ({ batches: sum.batches + batches, bytes: sum.bytes + bytes }), { batches: 0, bytes: 0 });
    },
  };
}
