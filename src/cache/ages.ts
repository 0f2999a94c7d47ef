import { KINDS, type Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { PayloadStore } from './payload-store.ts';
import type { GroupId } from './segment-format.ts';

/** When the oldest of what waits was received, in milliseconds since 1970. */
export interface Ages {
  readonly oldestAt?: number;
  /** Kinds of which nothing waits are left out. */
  readonly oldestByKind: Readonly<Partial<Record<Kind, number>>>;
  /** The oldest that does not wait for a try of its own. */
  readonly oldestDueAt?: number;
}

/** Looks at the first group of each kind, and past those that are `delayed`: groups of a kind lie in the order of their age. */
export function agesOf(workspaceId: WorkspaceId, store: Pick<PayloadStore, 'groupsOf'>, delayed: ReadonlySet<GroupId>): Ages {
  const oldestByKind: Partial<Record<Kind, number>> = {};
  let oldestDueAt = Number.POSITIVE_INFINITY;
  for (const kind of KINDS) {
    for (const { id, oldestAt } of store.groupsOf(workspaceId, kind)) {
      oldestByKind[kind] ??= oldestAt;
      if (delayed.has(id)) continue;
      oldestDueAt = Math.min(oldestDueAt, oldestAt);
      break;
    }
  }
  const oldest = Math.min(...Object.values(oldestByKind));
  return {
    oldestByKind,
    ...(Number.isFinite(oldest) ? { oldestAt: oldest } : {}),
    ...(Number.isFinite(oldestDueAt) ? { oldestDueAt } : {}),
  };
}
