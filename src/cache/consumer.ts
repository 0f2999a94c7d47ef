/**
 * Offers one workspace's groups upstream, oldest first, several at a time, and does with each what its verdicts say.
 *
 * Invariants: a group leaves the store only after every member is delivered or a durable dead letter; while the workspace cannot be reached
 * one group at a time is tried, the oldest, when the schedule says; any answer from the workspace wakes the whole queue. Nothing here
 * throws: an index or a disk that is away is tried again.
 */
import type { Batch } from '../batch/batch.ts';
import type { Kind } from '../batch/kind.ts';
import type { Deliver, Refused, Retry, Verdict } from '../batch/verdict.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { nextTry, type RetrySchedule } from '../retry/schedule.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Ledger } from './balance.ts';
import type { UpstreamState } from './cache.ts';
import type { DeadLetters } from './dead-letters.ts';
import { type GroupIndex, HOLD_MS, type TakenGroup } from './group-index.ts';
import type { PayloadStore, StoredMember } from './payload-store.ts';
import { createRest } from './rest.ts';
import type { GroupId } from './segment-format.ts';

const POLL_MS = 2_000;

export interface ConsumerParts {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  readonly store: PayloadStore;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly schedule: RetrySchedule;
  readonly groupsInFlight: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Consumer {
  start(deliver: Deliver): void;
  /** Says that a group may be due: one was added, or the index is back. */
  wake(): void;
  state(): UpstreamState;
  /** Groups with us at this moment. */
  inFlight(): ReadonlySet<GroupId>;
  /** Takes no more groups; waits `deadlineMs` for those in flight, then gives them up: they stay cached. */
  stop(deadlineMs: number): Promise<void>;
}

interface Attempt {
  readonly taken: TakenGroup;
  readonly settled: Promise<void>;
}

interface Returning {
  readonly taken: TakenGroup;
  readonly retry: Retry;
}

/** Members of a group with what upstream said of each. */
interface Judged {
  readonly position: number;
  readonly batch: Batch;
  readonly verdict: Verdict;
}

export function createConsumer(parts: ConsumerParts): Consumer {
  const { workspaceId, index, store, deadLetters, ledger, schedule, clock, log } = parts;
  const rest = createRest(schedule);
  const attempts = new Map<GroupId, Attempt>();
  /** Groups that found the workspace out of reach; they go back in order once all in flight have settled. */
  let returning: Returning[] = [];
  /** When a group that alone fails first did so. */
  const failingSince = new Map<GroupId, number>();
  const abort = new AbortController();
  let deliver: Deliver | undefined;
  let stopped = false;
  let pumping: Promise<void> | undefined;
  let wanted = false;
  let cancelTry = (): void => {};
  let indexAway = false;

  const stopPolling: (() => void)[] = [];

  const wake = (): void => {
    wanted = true;
    if (!deliver || stopped || pumping !== undefined) return;
    // A pump that finds nothing to do ends in this very turn: only what it returns may be forgotten, never before it is remembered.
    pumping = pump().finally(() => {
      pumping = undefined;
      if (wanted) wake();
    });
  };

  const pump = async (): Promise<void> => {
    while (wanted && !stopped) {
      wanted = false;
      while (!stopped && attempts.size < rest.allowance(clock.now(), parts.groupsInFlight)) {
        const taken = await takeNext();
        if (!taken) break;
        attempts.set(taken.id, { taken, settled: attempt(taken) });
      }
    }
  };

  const takeNext = async (): Promise<TakenGroup | undefined> => {
    try {
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
      await delayAlone(taken, { outcome: 'retry', scope: 'batch', reason: messageOf(error) });
    } finally {
      attempts.delete(taken.id);
      await giveBack();
      wake();
    }
  };

  const offer = async (taken: TakenGroup, members: readonly StoredMember[]): Promise<void> => {
    dropUnreadable(taken.id, members);
    const readable = members.flatMap(({ position, content }) => (content.readable ? [{ position, batch: content.batch }] : []));
    const verdicts =
      deliver && readable.length > 0
        ? await deliver(
            readable.map(({ batch }) => batch),
            abort.signal,
          )
        : [];
    const judged = readable.map(({ position, batch }, at): Judged => ({ position, batch, verdict: verdicts[at] ?? noVerdict }));
    const answered = judged.some(({ verdict }) => verdict.outcome !== 'retry' || verdict.scope === 'batch');
    if (answered) await noteAnswer();
    noteDelivered(taken.id, judged);
    await buryRefused(taken.id, judged);
    const retries = judged.flatMap(({ verdict }) => (verdict.outcome === 'retry' ? [verdict] : []));
    const [first] = retries;
    if (!first) await finish(taken);
    else if (stopped) returning.push({ taken, retry: first });
    else if (answered) await delayAlone(taken, first);
    else restWith(taken, longestAsked(retries));
  };

  // Groups that failed before this answer, in the same moment, were not the workspace's fault: each waits by itself, or a bad one would be tried without pause.
  const noteAnswer = async (): Promise<void> => {
    if (!rest.answered()) return;
    cancelTry();
    log.info({ workspaceId }, 'the workspace answers again; everything cached goes now');
    for (const { taken, retry } of returning.splice(0)) await delayAlone(taken, retry);
  };

  const noteDelivered = (id: GroupId, judged: readonly Judged[]): void => {
    const delivered = judged.filter(({ verdict }) => verdict.outcome === 'delivered');
    for (const { batch } of delivered) ledger.add('delivered', batch.kind, 1, batch.body.length);
    store.markDone(
      id,
      delivered.map(({ position }) => position),
    );
  };

  const buryRefused = async (id: GroupId, judged: readonly Judged[]): Promise<void> => {
    for (const { position, batch, verdict } of judged) {
      if (verdict.outcome !== 'refused') continue;
      await bury(batch, verdict);
      ledger.add('deadLettered', batch.kind, 1, batch.body.length);
      store.markDone(id, [position]);
    }
  };

  const bury = async (batch: Batch, verdict: Refused): Promise<void> => {
    await deadLetters.put(batch, { reason: 'refused', status: verdict.status, answer: verdict.answer }, clock.now());
    ledger.add('deadLettered', batch.kind, 1, batch.body.length);
    log.warn(
      { workspaceId, batchId: batch.id, agentId: batch.agentId, status: verdict.status, answer: verdict.answer },
      'the workspace refused a batch for its content; it is a dead letter now',
    );
  };

  const dropUnreadable = (id: GroupId, members: readonly StoredMember[]): void => {
    for (const { position, content } of members) {
      if (content.readable) continue;
      log.error(
        { workspaceId, group: id, position, reason: content.message },
        'a stored batch cannot be opened; its bytes were set aside in the folder "damaged"',
      );
      ledger.add('dropped', kindOfGroup(id), 1, content.bytes);
      store.markDone(id, [position]);
    }
  };

  const finish = async (taken: TakenGroup): Promise<void> => {
    failingSince.delete(taken.id);
    // The store has noted it already; an entry that stays behind in the index is removed when it is met.
    await index
      .finish(taken)
      .catch((error: unknown) => log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a finished group stays in the index for now'));
  };

  const forget = async (taken: TakenGroup): Promise<void> => {
    log.debug({ workspaceId, group: taken.id }, 'the index named a group that is done or gone; the entry is removed');
    await finish(taken);
  };

  const delayAlone = async (taken: TakenGroup, retry: Retry): Promise<void> => {
    const now = clock.now();
    const firstAt = failingSince.get(taken.id) ?? now;
    failingSince.set(taken.id, firstAt);
    const { at } = nextTry({ firstAt, now, retryAfterMs: retry.retryAfterMs }, schedule);
    log.warn(
      { workspaceId, group: taken.id, reason: retry.reason, nextTryAt: new Date(at).toISOString() },
      'a group alone fails while others pass; it is tried again',
    );
    try {
      await index.delay(taken, at);
      clock.after(at - now, () => void index.bringForward(taken.id).then(wake, () => {}));
    } catch (error) {
      log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be delayed; the index will offer it again');
    }
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
    const groups = returning.map(({ taken }) => taken).sort((a, b) => ageOf(b) - ageOf(a) || b.id.localeCompare(a.id, undefined, { numeric: true }));
    returning = [];
    for (const taken of groups) {
      await index
        .putBack(taken)
        .catch((error: unknown) =>
          log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be put back; the index will offer it again'),
        );
    }
  };

  const keepHold = async (): Promise<void> => {
    const held = [...[...attempts.values()].map((one) => one.taken), ...returning.map(({ taken }) => taken)];
    if (held.length > 0) await index.extend(held).catch(() => {});
  };

  return {
    start(given) {
      deliver = given;
      stopPolling.push(every(clock, POLL_MS, wake), every(clock, HOLD_MS / 3, keepHold));
      wake();
    },
    wake,
    state: rest.state,
    inFlight: () => new Set([...attempts.keys(), ...returning.map(({ taken }) => taken.id)]),
    async stop(deadlineMs) {
      stopped = true;
      cancelTry();
      for (const end of stopPolling.splice(0)) end();
      await pumping;
      const late = AbortSignal.timeout(deadlineMs);
      late.addEventListener('abort', () => abort.abort());
      await Promise.all([...attempts.values()].map((one) => one.settled));
    },
  };
}

const noVerdict: Retry = { outcome: 'retry', scope: 'batch', reason: 'the transport gave no verdict' };

function longestAsked(retries: readonly [Retry, ...Retry[]] | readonly Retry[]): Retry {
  return retries.reduce((longest, retry) => ((retry.retryAfterMs ?? 0) > (longest.retryAfterMs ?? 0) ? retry : longest));
}

function ageOf({ job }: TakenGroup): number {
  return Number((job.data as { oldestAt?: unknown }).oldestAt ?? 0);
}

// `<kind>-<segment id>.<number>`
function kindOfGroup(id: GroupId): Kind {
  return id.slice(0, id.indexOf('-')) as Kind;
}
