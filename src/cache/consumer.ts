/**
 * Offers one workspace's groups upstream, oldest first, several at a time, and does with each what its verdicts say.
 *
 * Invariants: a group leaves the store only after every member is delivered or a durable dead letter; while the workspace cannot be reached
 * one group at a time is tried, the oldest, when the schedule says; any answer from the workspace wakes the whole queue. A paused workspace is
 * offered nothing. Nothing here throws: an index or a disk that is away is tried again.
 */
import type { Deliver, Retry } from '../batch/verdict.ts';
import { messageOf } from '../errors.ts';
import type { RetrySchedule } from '../retry/schedule.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { UpstreamState } from './cache.ts';
import { createGoingBack } from './going-back.ts';
import type { GroupIndex, TakenGroup } from './group-index.ts';
import { keepHold } from './holding.ts';
import { createLoneFailures } from './lone-failures.ts';
import type { StoredMember } from './payload-store.ts';
import { createRest } from './rest.ts';
import type { GroupId } from './segment-format.ts';
import { createSettlement, type Judged, type SettlementParts } from './settlement.ts';
import { createTaker, type Taker } from './taker.ts';

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
  /** Told of each group that was found to be taken by nobody, and is offered again. */
  readonly onStalled?: ((workspaceId: WorkspaceId) => void) | undefined;
}

export interface Consumer extends Pick<Taker, 'added' | 'wake' | 'placeOf' | 'spent' | 'pause' | 'isPaused' | 'withoutTaking'> {
  start(deliver: Deliver): void;
  state(): UpstreamState;
  /** A group was not added to the index after all. */
  withdrawn(id: GroupId): void;
  /** Makes the next try now, for the workspace and for every group that waits alone. */
  retryNow(): void;
  /** How much was brought to an end so far, and when last, in milliseconds since 1970. A canary counts. */
  progress(): Progress;
  /** Whether an entry that is put into the index now should be taken soon. */
  mustMove(): boolean;
  /** Groups with us at this moment. */
  inFlight(): ReadonlySet<GroupId>;
  /** Groups that fail alone, and whose next try is not due yet. */
  delayed(): ReadonlySet<GroupId>;
  /** Since when what waits may be sent, in milliseconds since 1970; undefined while it may not. */
  freeSince(): number | undefined;
  /** Takes no more groups; waits `deadlineMs` for those in flight, then gives them up: they stay cached. */
  stop(deadlineMs: number): Promise<void>;
}

export interface Progress {
  readonly count: number;
  readonly lastAt: number;
}

export function createConsumer(parts: ConsumerParts): Consumer {
  const { workspaceId, index, store, clock, log } = parts;
  const rest = createRest(parts.schedule);
  const attempts = new Map<GroupId, TakenGroup>();
  const goingBack = createGoingBack(workspaceId, index, log);
  /** Attempts with all that follows from them. */
  const working = new Set<Promise<void>>();
  const abort = new AbortController();
  let deliver: Deliver | undefined;
  let stopped = false;
  let cancelTry = (): void => {};
  let progress: Progress = { count: 0, lastAt: clock.now() };
  /** Since when nothing has stood in the way. */
  let openSince = clock.now();
  let letGo = (): void => {};

  const settlement = createSettlement(parts);
  const loneFailures = createLoneFailures({ workspaceId, index, schedule: parts.schedule, clock, log, onDue: () => taker.wake() });
  const taker = createTaker({
    ...parts,
    isAwake: () => rest.state().state === 'awake',
    hasPlace: () => attempts.size < rest.allowance(clock.now(), parts.groupsInFlight),
    onTaken: (taken) => begin(taken),
    onCanary: () => noteProgress(),
  });

  const noteProgress = (): void => {
    progress = { count: progress.count + 1, lastAt: clock.now() };
  };

  const begin = (taken: TakenGroup): void => {
    attempts.set(taken.id, taken);
    const work = attempt(taken);
    working.add(work);
    void work.then(() => working.delete(work));
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
      if (attempts.size === 0 && (await goingBack.giveBack())) taker.wake();
      else taker.next();
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
    else if (stopped) goingBack.add({ taken, retry: first });
    else if (answered) await loneFailures.delay(taken, first);
    else restWith(taken, longestAsked(first, others));
  };

  // Groups that failed before this answer, in the same moment, were not the workspace's fault: each waits by itself, or a bad one would be tried without pause.
  const noteAnswer = async (): Promise<void> => {
    if (!rest.answered()) return;
    openSince = clock.now();
    cancelTry();
    log.info({ workspaceId }, 'the workspace answers again; everything cached goes now');
    for (const { taken, retry } of goingBack.withdrawAll()) await loneFailures.delay(taken, retry);
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
    goingBack.add({ taken, retry });
    const wasAwake = rest.state().state === 'awake';
    const at = rest.failed(clock.now(), retry.reason, retry.retryAfterMs);
    cancelTry();
    cancelTry = clock.after(at - clock.now(), taker.wake);
    const facts = { workspaceId, reason: retry.reason, nextTryAt: new Date(at).toISOString() };
    if (wasAwake) log.warn(facts, 'the workspace cannot be reached; its data stays in the cache and is tried again by the schedule');
    else log.debug(facts, 'the workspace still cannot be reached');
  };

  const inFlight = (): ReadonlySet<GroupId> => new Set([...attempts.keys(), ...goingBack.ids()]);

  const retryNow = (): void => {
    cancelTry();
    rest.retryNow(clock.now());
    loneFailures.retryNow();
    taker.wake();
  };

  const freeSince = (): number | undefined => {
    const { state, nextTryAt = 0 } = rest.state();
    if (taker.isPaused()) return undefined;
    if (state === 'awake') return openSince;
    return clock.now() >= nextTryAt ? nextTryAt : undefined;
  };

  return {
    ...taker,
    pause(isPaused) {
      if (!isPaused) openSince = clock.now();
      taker.pause(isPaused);
    },
    delayed: () => loneFailures.waiting(clock.now()),
    freeSince,
    start(given) {
      deliver = given;
      letGo = keepHold({ ...parts, taker, held: () => [...attempts.values(), ...goingBack.waiting()], inFlight });
      taker.start();
    },
    state: rest.state,
    withdrawn(id) {
      taker.forget(id);
      loneFailures.forget(id);
    },
    retryNow,
    progress: () => progress,
    inFlight,
    async stop(deadlineMs) {
      stopped = true;
      cancelTry();
      loneFailures.stop();
      letGo();
      const lastTaken = taker.stop();
      const late = Promise.withResolvers<void>();
      let cancelLate = clock.after(deadlineMs, () => {
        abort.abort();
        cancelLate = clock.after(GIVE_UP_MS, late.resolve);
      });
      await Promise.race([late.promise, lastTaken.then(() => Promise.all(working))]);
      cancelLate();
    },
  };
}

const NO_VERDICT: Retry = { outcome: 'retry', scope: 'batch', reason: 'the transport gave no verdict' };

function longestAsked(first: Retry, others: readonly Retry[]): Retry {
  return others.reduce((longest, retry) => ((retry.retryAfterMs ?? 0) > (longest.retryAfterMs ?? 0) ? retry : longest), first);
}
