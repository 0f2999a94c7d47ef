import { KINDS, type Kind } from '../batch/kind.ts';
import type { Deliver } from '../batch/verdict.ts';
import { every } from '../clock.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { agesOf } from './ages.ts';
import { type Amount, createLedger, type Ledger } from './balance.ts';
import type { WorkspaceStats } from './cache.ts';
import type { CacheParts, CacheSettings } from './cache-parts.ts';
import { type Consumer, createConsumer } from './consumer.ts';
import type { DeadLetters } from './dead-letters.ts';
import { createGivingUp, type GivingUp } from './giving-up.ts';
import { createGroupIndex, type GroupIndex } from './group-index.ts';
import type { Indexing } from './indexing.ts';
import { keepMoving } from './keep-moving.ts';
import type { LossLedger } from './loss.ts';
import { watchMaxAge } from './max-age.ts';
import type { PausedWorkspaces } from './paused.ts';
import type { PayloadStore } from './payload-store.ts';
import { reconcile } from './reconcile.ts';

/** Entries are counted now and then, not at a scrape: it must not wait for Redis. */
const COUNT_INDEX_EVERY_MS = 15_000;

/** All that one workspace has of the cache for itself: its index, its books, its consumer. */
export interface Lane {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  readonly ledger: Ledger;
  readonly consumer: Consumer;
  readonly givingUp: GivingUp;
  /** Makes the index agree with what is stored. */
  reconcile(): Promise<void>;
  /** Begins to watch that it moves, and that nothing gets too old. */
  watch(): void;
  consume(deliver: Deliver): void;
  stats(): WorkspaceStats;
  /** Stops the watching, then the consumer within `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

export interface LaneShared {
  readonly settings: CacheSettings;
  readonly parts: CacheParts;
  readonly store: PayloadStore;
  readonly losses: LossLedger;
  readonly deadLetters: DeadLetters;
  readonly paused: PausedWorkspaces;
  readonly indexing: Indexing;
}

/** Opens a workspace's lane on what the store holds of it. */
export function openLane(workspaceId: WorkspaceId, { settings, parts, store, losses, deadLetters, paused, indexing }: LaneShared): Lane {
  const { clock, log, redis } = parts;
  const ledger = createLedger();
  for (const kind of KINDS) {
    const { batches, bytes } = store.cached(workspaceId, kind);
    if (batches > 0) ledger.add('recovered', kind, batches, bytes);
  }
  const index = createGroupIndex(workspaceId, redis, parts.redisAddress, log, settings.dropOrder);
  const consumer = createConsumer({
    ...settings,
    groupsInFlight: settings.groupsInFlightOf?.get(workspaceId) ?? settings.groupsInFlight,
    isPaused: paused.has(workspaceId),
    workspaceId,
    index,
    store,
    deadLetters,
    ledger,
    enterLosses: losses.enter,
    clock,
    log,
    onDeadRecords: parts.onDeadRecords,
    onDelivered: parts.onDelivered,
    onStalled: parts.onStalled,
  });
  const givingUp = createGivingUp({ workspaceId, store, index, consumer, ledger, losses, isIndexing: indexing.has, log });
  let stopMoving = (): void => {};
  let stopCounting = (): void => {};
  let indexCounts: WorkspaceStats['indexCounts'];
  let age: ReturnType<typeof watchMaxAge> | undefined;

  const acknowledged = (kind: Kind): Amount => {
    const { batches, bytes } = store.cached(workspaceId, kind);
    const notYet = indexing.amountOf(workspaceId, kind);
    return { batches: batches - notYet.batches, bytes: bytes - notYet.bytes };
  };

  return {
    workspaceId,
    index,
    ledger,
    consumer,
    givingUp,
    async reconcile() {
      const result = await consumer.withoutTaking(() =>
        reconcile({
          index,
          outstanding: () => store.outstanding(workspaceId).filter(({ id }) => !indexing.has(id)),
          has: store.has,
          inFlight: consumer.inFlight,
        }),
      );
      if (result.restored + result.removed + result.released > 0) log.warn({ workspaceId, ...result }, 'the index was made to agree with what is stored');
    },
    watch() {
      stopCounting = every(clock, COUNT_INDEX_EVERY_MS, async () => {
        indexCounts = await index.counts().catch(() => indexCounts);
      });
      age = watchMaxAge({ workspaceId, maxAgeMs: settings.maxAgeMs ?? Number.POSITIVE_INFINITY, store, givingUp, clock, log });
      if (settings.watchdogMs === undefined) return;
      const { onReconnect = () => {}, onStuck = () => {} } = parts;
      const isRedisThere = (): boolean => redis.status === 'ready';
      stopMoving = keepMoving({ workspaceId, afterMs: settings.watchdogMs, consumer, index, isRedisThere, onReconnect, onStuck, clock, log });
    },
    consume: consumer.start,
    stats() {
      const delayed = consumer.delayed();
      const { oldestAt, oldestByKind, oldestDueAt } = agesOf(workspaceId, store, delayed);
      const freeSince = consumer.freeSince();
      const inFlight = consumer.inFlight().size;
      const unopenable = store.unopenable(workspaceId);
      const unreportedLosses = losses.unreported(workspaceId);
      return {
        workspaceId,
        upstream: consumer.state(),
        balance: ledger.balances(acknowledged),
        ...(oldestAt === undefined ? {} : { oldestAt }),
        oldestByKind,
        ...(oldestDueAt === undefined || freeSince === undefined ? {} : { dueSince: Math.max(oldestDueAt, freeSince) }),
        groupsDelayed: delayed.size,
        deadLetters: deadLetters.count(workspaceId),
        groupsWaiting: Math.max(0, store.groups(workspaceId) - inFlight),
        groupsInFlight: inFlight,
        ...(indexCounts ? { indexCounts } : {}),
        lastProgressAt: consumer.progress().lastAt,
        ...(consumer.isPaused() ? { paused: true } : {}),
        ...(age?.isGettingOld() ? { gettingOld: true } : {}),
        ...(unopenable.length === 0 ? {} : { unopenable }),
        ...(unreportedLosses.length === 0 ? {} : { lost: totalOf(unreportedLosses) }),
      };
    },
    async stop(deadlineMs) {
      stopMoving();
      stopCounting();
      age?.stop();
      await consumer.stop(deadlineMs);
    },
  };
}

function totalOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce((total, { batches, bytes }) => ({ batches: total.batches + batches, bytes: total.bytes + bytes }), { batches: 0, bytes: 0 });
}
