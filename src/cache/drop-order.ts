import type { Kind } from '../batch/kind.ts';
import type { StoredGroup } from './payload-store.ts';

export interface DropQuestion {
  /** The six kinds; the first is dropped first. */
  readonly order: readonly Kind[];
  /** Kind of the batch that needs room: only kinds before it may go. */
  readonly kind: Kind;
  readonly bytesNeeded: number;
  /** Groups of a kind, the oldest first. */
  readonly groupsOf: (kind: Kind) => Iterable<StoredGroup & { readonly storedBytes: number }>;
  /** Whether a group may be given up now: not while it is on its way upstream. */
  readonly mayGo: (group: StoredGroup) => boolean;
}

/** Chooses what a batch that does not fit drops: the lowest kind first, the oldest first, no more than is needed. Undefined when all of it would not be enough. */
export function chooseDrops({ order, kind, bytesNeeded, groupsOf, mayGo }: DropQuestion): StoredGroup[] | undefined {
  const chosen: StoredGroup[] = [];
  let freed = 0;
  for (const lower of order.slice(0, order.indexOf(kind))) {
    for (const group of groupsOf(lower)) {
      if (freed >= bytesNeeded) return chosen;
      if (!mayGo(group)) continue;
      chosen.push(group);
      freed += group.storedBytes;
    }
  }
  return freed >= bytesNeeded ? chosen : undefined;
}
