/**
 * Offers one workspace's groups upstream, oldest first, several at a time, and does with each what its verdicts say.
 *
 * Invariants: a group leaves the store only after every member is delivered or a durable dead letter; while the workspace cannot be reached
 * one group at a time is tried, the oldest, when the schedule says; any answer from the workspace wakes the whole queue. A paused workspace is
 * offered nothing. Nothing here throws: an index or a disk that is away is tried again.
 */
import type { Deliver, Retry } from '../batch/verdict.ts';
import { every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { RetrySchedule } from '../retry/schedule.ts';
import type { UpstreamState } from './cache.ts';
import { type GroupIndex, HOLD_MS, type TakenGroup } from './group-index.ts';
import { createLoneFailures } from './lone-failures.ts';
import type { StoredMember } from './payload-store.ts';
import { createRate } from './rate.ts';
import { createRest } from './rest.ts';
import type { GroupId } from './segment-format.ts';
import { createSettlement, type Judged, type SettlementParts } from './settlement.ts';
import { createTakingOrder, type Place } from './taking-order.ts';

const POLL_MS = 2_000;
/** How long an attempt that was told to stop may still take. */
const GIVE_UP_MS = 1_000;

export interface ConsumerParts extends SettlementParts {
  readonly index: GroupIndex;
  readonly schedule: RetrySchedule;
  readonly groupsInFlight: number;
  /** Bytes offered in a second at most, as they came over the wire. */
  readonly maxBytesPerS?: number | undefined;
  /** Whether nothing may be offered until `pause(false)`. */
  readonly isPaused?: boolean;
}

export interface Consumer {
  start(deliver: Deliver): void;
  /** Says that a group may be due: one was added, or the index is back. */
  wake(): void;
  state(): UpstreamState;
  /** Where in the index a group belongs that is added now. */
  placeOf(id: GroupId): Place;
  /** A group was not added to the index after all. */
  withdrawn(id: GroupId): void;
  /** Makes the next try now, for the workspace and for every group that waits alone. */
  retryNow(): void;
  /** Offers nothing more, or everything again. What is in flight is finished. */
  pause(isPaused: boolean): void;
  isPaused(): boolean;
  /** How much was brought to an end so far, and when last, in milliseconds since 1970. A canary counts. */
  progress(): Progress;
  /** Whether an entry that is put into the index now should be taken soon. */
  mustMove(): boolean;
  /** Groups with us at this moment. */
  inFlight(): ReadonlySet<GroupId>;
  /** Does something during which no group is taken from the index, so that a group taken but not in flight is nobody's. */
  withoutTaking<T>(work: () => Promise<T>): Promise<T>;
  /** Takes no more groups; waits `deadlineMs` for those in flight, then gives them up: they stay cached. */
  stop(deadlineMs: number): Promise<void>;
}

export interface Progress {
  readonly count: number;
  readonly lastAt: number;
}

interface Returning {
  readonly taken: TakenGroup;
  readonly retry: Retry;
}

export function createConsumer(parts: ConsumerParts): Consumer {
  const { workspaceId, index, store, clock, log } = parts;
  const rest = createRest(parts.schedule);
  const rate = createRate(parts.maxBytesPerS);
  const order = createTakingOrder();
  const attempts = new Map<GroupId, TakenGroup>();
  /** Groups that found the workspace out of reach; they go back in order once all in flight have settled. */
  let returning: Returning[] = [];
  /** On their way back to the index. */
  const goingBack = new Set<GroupId>();
  /** Attempts with all that follows from them. */
  const working = new Set<Promise<void>>();
  const abort = new AbortController();
  let deliver: Deliver | undefined;
  let stopped = false;
  let pumping: Promise<void> | undefined;
  let wanted = false;
  let holds = 0;
  let cancelTry = (): void => {};
  let cancelRateWait = (): void => {};
  let isPaused = parts.isPaused ?? false;
  let progress: Progress = { count: 0, lastAt: clock.now() };
  let indexAway = false;

  const stopPolling: (() => void)[] = [];
  const settlement = createSettlement(parts);
  const loneFailures = createLoneFailures({ workspaceId, index, schedule: parts.schedule, clock, log, onDue: () => wake() });

  const wake = (): void => {
    wanted = true;
    if (!deliver || !mayTake() || pumping !== undefined) return;
    // A pump that finds nothing to do ends in this very turn: only what it returns may be forgotten, never before it is remembered.
    pumping = pump().finally(() => {
      pumping = undefined;
      if (wanted) wake();
    });
  };

  const pump = async (): Promise<void> => {
    while (wanted && mayTake()) {
      wanted = false;
      while (mayTake() && attempts.size < rest.allowance(clock.now(), parts.groupsInFlight) && rateAllows()) {
        const taken = await takeNext();
        if (!taken) break;
        if (taken.isCanary) await finishCanary(taken);
        else begin(taken);
      }
    }
  };

  const mayTake = (): boolean => !stopped && !isPaused && holds === 0;

  const rateAllows = (): boolean => {
    const waitMs = rate.waitMs(clock.now());
    if (waitMs === 0) return true;
    cancelRateWait();
    cancelRateWait = clock.after(waitMs, wake);
    return false;
  };

  const noteProgress = (): void => {
    progress = { count: progress.count + 1, lastAt: clock.now() };
  };

  const finishCanary = async (taken: TakenGroup): Promise<void> => {
    noteProgress();
    // One that stays behind is found to be taken by nobody, and offered again.
    await index.finish(taken).catch(() => {});
  };

  const poll = (): void => {
    // An index that was made to agree with the store may hold more than we added.
    order.lookAgain();
    wake();
  };

  const begin = (taken: TakenGroup): void => {
    attempts.set(taken.id, taken);
    order.forget(taken.id);
    rate.spend(taken.bytes, clock.now());
    const work = attempt(taken);
    working.add(work);
    void work.then(() => working.delete(work));
  };

  const takeNext = async (): Promise<TakenGroup | undefined> => {
    try {
      // A try while the workspace is away is made with the same group again: what was put back stands first.
      if (rest.state().state === 'awake' && order.isBacklogsTurn() && !(await index.bringBacklogForward())) order.backlogIsEmpty();
      const taken = await index.take();
      if (indexAway) log.info({ workspaceId }, 'the index answers again');
      indexAway = false;
      return taken;
    } catch (error) {
      if (!indexAway) log.warn({ workspaceId, reason: messageOf(error) }, 'the index does not answer; what is cached waits until it does');
      indexAway = true;
      return undefined;
    }
  };

  // Never rejects: whatever goes wrong, the group is put back.
  const attempt = async (taken: TakenGroup): Promise<void> => {
    try {
      const members = await store.read(taken.id);
      if (members) await offer(taken, members);
      else await forget(taken);
    } catch (error) {
      log.error({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be worked on; it is tried again');
      await loneFailures.delay(taken, { outcome: 'retry', scope: 'batch', reason: messageOf(error) });
    } finally {
      attempts.delete(taken.id);
      noteProgress();
      await giveBack();
      wake();
    }
  };

  const offer = async (taken: TakenGroup, members: readonly StoredMember[]): Promise<void> => {
    const readable = await settlement.readable(taken.id, members);
    const batches = readable.map(({ batch }) => batch);
    const verdicts = deliver && batches.length > 0 ? await deliver(batches, abort.signal) : [];
    const judged = readable.map(({ position, batch }, at): Judged => ({ position, batch, verdict: verdicts[at] ?? NO_VERDICT }));
    const answered = judged.some(({ verdict }) => verdict.outcome !== 'retry' || verdict.scope === 'batch');
    if (answered) await noteAnswer();
    const [first, ...others] = await settlement.settle(taken.id, judged);
    if (!first) await finish(taken);
    else if (stopped) returning.push({ taken, retry: first });
    else if (answered) await loneFailures.delay(taken, first);
    else restWith(taken, longestAsked(first, others));
  };

  // Groups that failed before this answer, in the same moment, were not the workspace's fault: each waits by itself, or a bad one would be tried without pause.
  const noteAnswer = async (): Promise<void> => {
    if (!rest.answered()) return;
    cancelTry();
    log.info({ workspaceId }, 'the workspace answers again; everything cached goes now');
    for (const { taken, retry } of returning.splice(0)) await loneFailures.delay(taken, retry);
  };

  const finish = async (taken: TakenGroup): Promise<void> => {
    loneFailures.forget(taken.id);
    // The store has noted it already; an entry that stays behind in the index is removed when it is met.
    await index
      .finish(taken)
      .catch((error: unknown) => log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a finished group stays in the index for now'));
  };

  const forget = async (taken: TakenGroup): Promise<void> => {
    log.debug({ workspaceId, group: taken.id }, 'the index named a group that is done or gone; the entry is removed');
    await finish(taken);
  };

  const restWith = (taken: TakenGroup, retry: Retry): void => {
    returning.push({ taken, retry });
    const wasAwake = rest.state().state === 'awake';
    const at = rest.failed(clock.now(), retry.reason, retry.retryAfterMs);
    cancelTry();
    cancelTry = clock.after(at - clock.now(), wake);
    const facts = { workspaceId, reason: retry.reason, nextTryAt: new Date(at).toISOString() };
    if (wasAwake) log.warn(facts, 'the workspace cannot be reached; its data stays in the cache and is tried again by the schedule');
    else log.debug(facts, 'the workspace still cannot be reached');
  };

  // The youngest goes back first, so that the oldest is the next to be taken.
  const giveBack = async (): Promise<void> => {
    if (attempts.size > 0 || returning.length === 0) return;
    const groups = returning.map(({ taken }) => taken).sort((a, b) => b.oldestAt - a.oldestAt || b.id.localeCompare(a.id, undefined, { numeric: true }));
    returning = [];
    for (const { id } of groups) goingBack.add(id);
    for (const taken of groups) {
      await index
        .putBack(taken)
        .catch((error: unknown) =>
          log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be put back; it is offered again when found to be lost'),
        );
      goingBack.delete(taken.id);
    }
  };

  const inFlight = (): ReadonlySet<GroupId> => new Set([...attempts.keys(), ...returning.map(({ taken }) => taken.id), ...goingBack]);

  const retryNow = (): void => {
    cancelTry();
    rest.retryNow(clock.now());
    loneFailures.retryNow();
    wake();
  };

  const finished = async (): Promise<void> => {
    await pumping;
    await Promise.all(working);
  };

  const keepHold = async (): Promise<void> => {
    const held = [...attempts.values(), ...returning.map(({ taken }) => taken)];
    if (held.length > 0) await index.extend(held).catch(() => {});
    await releaseLost().catch(() => {});
  };

  const withoutTaking = async <T>(work: () => Promise<T>): Promise<T> => {
    holds += 1;
    try {
      await pumping;
      return await work();
    } finally {
      holds -= 1;
      wake();
    }
  };

  const takenByNobody = async (): Promise<GroupId[]> => (await index.takenIds()).filter((id) => !inFlight().has(id));

  // Redis may do what it was asked after we stopped waiting for its answer: a group is then taken by nobody, and nothing else would offer it again.
  const releaseLost = async (): Promise<void> => {
    if (stopped || (await takenByNobody()).length === 0) return;
    // One that is just being taken looks the same, so look again while none is.
    await withoutTaking(async () => {
      for (const id of await takenByNobody()) {
        await index.release(id);
        log.info({ workspaceId, group: id }, 'a group that nobody worked on any more is offered again');
      }
    });
  };

  return {
    start(given) {
      deliver = given;
      stopPolling.push(every(clock, POLL_MS, poll), every(clock, HOLD_MS / 3, keepHold));
      wake();
    },
    wake,
    state: rest.state,
    placeOf: (id) => order.placeOf(id, rest.state().state === 'awake' && !isPaused),
    withdrawn(id) {
      order.forget(id);
      loneFailures.forget(id);
    },
    retryNow,
    pause(paused) {
      isPaused = paused;
      wake();
    },
    isPaused: () => isPaused,
    progress: () => progress,
    mustMove: () => deliver !== undefined && mayTake() && rest.state().state === 'awake' && rate.waitMs(clock.now()) === 0,
    inFlight,
    withoutTaking,
    async stop(deadlineMs) {
      stopped = true;
      cancelTry();
      cancelRateWait();
      loneFailures.stop();
      for (const end of stopPolling.splice(0)) end();
      const late = Promise.withResolvers<void>();
      let cancelLate = clock.after(deadlineMs, () => {
        abort.abort();
        cancelLate = clock.after(GIVE_UP_MS, late.resolve);
      });
      await Promise.race([late.promise, finished()]);
      cancelLate();
    },
  };
}

const NO_VERDICT: Retry = { outcome: 'retry', scope: 'batch', reason: 'the transport gave no verdict' };

function longestAsked(first: Retry, others: readonly Retry[]): Retry {
  return others.reduce((longest, retry) => ((retry.retryAfterMs ?? 0) > (longest.retryAfterMs ?? 0) ? retry : longest), first);
}
