import type { GroupId } from './segment-format.ts';

/** More than this waiting at once is a backlog: upstream is slower than the agents. */
const FRESH_GROUPS = 64;

/**
 * Where a group stands in the index. `fresh`: in the order of arrival, which costs nothing more. `backlog`: by kind, Alert before
 * Event … before Performance, the oldest first within a kind.
 */
export type Place = 'fresh' | 'backlog';

/**
 * In which order a workspace's groups are taken. What gathers while the workspace is away, or faster than it takes, is backlog. While there is a
 * backlog every second group comes from it, so neither starves the other: what is fresh does not wait for days of backlog to pass, and a
 * backlog shrinks however much comes in.
 */
export interface TakingOrder {
  /** Where a group belongs that is added now. */
  placeOf(id: GroupId, isFlowing: boolean): Place;
  /** It waits no more. */
  forget(id: GroupId): void;
  /** Whether the next group must come from the backlog. */
  isBacklogsTurn(): boolean;
  /** The index has none, until one is added. */
  backlogIsEmpty(): void;
  /** Somebody else may have added some. */
  lookAgain(): void;
}

export function createTakingOrder(): TakingOrder {
  const fresh = new Set<GroupId>();
  // The process before this one may have left some.
  let mayHaveBacklog = true;
  let isBacklogs = false;

  return {
    placeOf(id, isFlowing) {
      if (isFlowing && fresh.size < FRESH_GROUPS) {
        fresh.add(id);
        return 'fresh';
      }
      mayHaveBacklog = true;
      return 'backlog';
    },
    forget: (id) => void fresh.delete(id),
    isBacklogsTurn() {
      isBacklogs = mayHaveBacklog && !isBacklogs;
      return isBacklogs;
    },
    backlogIsEmpty() {
      mayHaveBacklog = false;
    },
    lookAgain() {
      mayHaveBacklog = true;
    },
  };
}
