/**
 * Takes one workspace's groups from the index, the next when one is free to be worked on. Asking an empty index costs as much as taking a group,
 * so the taker counts what it knows to be there, and looks again when it may be wrong. One question at a time; nothing here throws.
 */
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { GroupIndex, TakenGroup } from './group-index.ts';
import { createRate } from './rate.ts';
import type { GroupId } from './segment-format.ts';
import { createTakingOrder, type Place } from './taking-order.ts';

const POLL_MS = 2_000;
/** Nobody knows how many entries the index has. */
const UNKNOWN = Number.POSITIVE_INFINITY;

export interface TakerParts {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  /** Bytes taken in a second at most, as they came over the wire. */
  readonly maxBytesPerS?: number | undefined;
  readonly isPaused?: boolean | undefined;
  /** Whether the workspace takes what comes, as far as is known. */
  readonly isAwake: () => boolean;
  /** Whether one more group may be in flight now. */
  readonly hasPlace: () => boolean;
  readonly onTaken: (taken: TakenGroup) => void;
  readonly onCanary: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Taker {
  start(): void;
  /** Says that an entry was added to the index. */
  added(): void;
  /** Says that a group in flight made place for another. */
  next(): void;
  /** Says that the index may have more than is known, or that one may be due. */
  wake(): void;
  /** Where in the index a group belongs that is added now. */
  placeOf(id: GroupId): Place;
  /** It waits no more. */
  forget(id: GroupId): void;
  /** Counts bytes against the rate that went upstream besides the groups. */
  spent(bytes: number): void;
  /** Takes nothing more, or goes on. */
  pause(isPaused: boolean): void;
  isPaused(): boolean;
  /** Whether an entry that is put into the index now should be taken soon. */
  mustMove(): boolean;
  /** Does something during which no group is taken, so that a group taken but not in flight is nobody's. */
  withoutTaking<T>(work: () => Promise<T>): Promise<T>;
  /** Takes nothing more, for ever; resolves when what was being taken is. */
  stop(): Promise<void>;
}

export function createTaker(parts: TakerParts): Taker {
  const { workspaceId, index, isAwake, clock, log } = parts;
  const order = createTakingOrder();
  const rate = createRate(parts.maxBytesPerS);
  /** Entries known to be in the index and not taken. */
  let known = UNKNOWN;
  let started = false;
  let stopped = false;
  let isPaused = parts.isPaused ?? false;
  let holds = 0;
  let wanted = false;
  let taking: Promise<void> | undefined;
  let isIndexAway = false;
  let cancelRateWait = (): void => {};
  let stopPolling = (): void => {};

  const mayTake = (): boolean => started && !stopped && !isPaused && holds === 0;

  const next = (): void => {
    wanted = true;
    if (!mayTake() || taking !== undefined) return;
    // A round that finds nothing to do ends in this very turn: only what it returns may be forgotten, never before it is remembered.
    taking = takeAll().finally(() => {
      taking = undefined;
      if (wanted) next();
    });
  };

  const wake = (): void => {
    known = UNKNOWN;
    next();
  };

  const takeAll = async (): Promise<void> => {
    while (wanted && mayTake()) {
      wanted = false;
      while (mayTake() && known > 0 && parts.hasPlace() && rateAllows()) {
        const taken = await takeNext();
        if (!taken) break;
        await handOn(taken);
      }
    }
  };

  const handOn = async (taken: TakenGroup): Promise<void> => {
    if (taken.isCanary) {
      parts.onCanary();
      // One that stays behind is found to be taken by nobody, and offered again.
      await index.finish(taken).catch(() => {});
      return;
    }
    order.forget(taken.id);
    rate.spend(taken.bytes, clock.now());
    parts.onTaken(taken);
  };

  const takeNext = async (): Promise<TakenGroup | undefined> => {
    const before = known;
    // What is added from here on is counted apart: the answer may come from before it.
    known = 0;
    try {
      // A try while the workspace is away is made with the same group again: what was put back stands first.
      if (isAwake() && order.isBacklogsTurn() && !(await index.bringBacklogForward())) order.backlogIsEmpty();
      const taken = await index.take();
      if (taken) known += before - 1;
      if (isIndexAway) log.info({ workspaceId }, 'the index answers again');
      isIndexAway = false;
      return taken;
    } catch (error) {
      known += before;
      if (!isIndexAway) log.warn({ workspaceId, reason: messageOf(error) }, 'the index does not answer; what is cached waits until it does');
      isIndexAway = true;
      return undefined;
    }
  };

  const rateAllows = (): boolean => {
    const waitMs = rate.waitMs(clock.now());
    if (waitMs === 0) return true;
    cancelRateWait();
    cancelRateWait = clock.after(waitMs, next);
    return false;
  };

  return {
    start() {
      started = true;
      stopPolling = every(clock, POLL_MS, () => {
        // An index that was made to agree with the store may hold more than we added.
        order.lookAgain();
        wake();
      });
      wake();
    },
    added() {
      known += 1;
      next();
    },
    next,
    wake,
    placeOf: (id) => order.placeOf(id, isAwake() && !isPaused),
    forget: order.forget,
    spent: (bytes) => rate.spend(bytes, clock.now()),
    pause(paused) {
      isPaused = paused;
      wake();
    },
    isPaused: () => isPaused,
    mustMove: () => mayTake() && isAwake() && rate.waitMs(clock.now()) === 0,
    async withoutTaking(work) {
      holds += 1;
      try {
        await taking;
        return await work();
      } finally {
        holds -= 1;
        wake();
      }
    },
    async stop() {
      stopped = true;
      cancelRateWait();
      stopPolling();
      await taking;
    },
  };
}
