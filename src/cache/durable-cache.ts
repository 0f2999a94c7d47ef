/**
 * The Cache on a payload store and a BullMQ index. A batch's way: admission → grouping → store (sealed, synced) → index → acknowledged;
 * then, a second or a week later, its workspace's consumer.
 */
import { statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import type { Batch } from '../batch/batch.ts';
import type { Random } from '../batch/batch-id.ts';
import { KINDS, type Kind } from '../batch/kind.ts';
import type { Deliver } from '../batch/verdict.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf, type RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RetrySchedule } from '../retry/schedule.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { KeyHolding } from '../workspace/key-rotation.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { type Admitted, createAdmission } from './admission.ts';
import { type Amount, createLedger, type Ledger } from './balance.ts';
import type { Cache, PutOutcome, WorkspaceStats } from './cache.ts';
import { type Consumer, createConsumer } from './consumer.ts';
import { keysOfDeadLetters } from './dead-letter-keys.ts';
import { type DeadLetters, openDeadLetters } from './dead-letters.ts';
import { defaultLimitBytes } from './default-limit.ts';
import { createForgetKey, type ForgetKey } from './forget-key.ts';
import { createGivingUp, type GivingUp } from './giving-up.ts';
import { createGroupIndex, type GroupIndex } from './group-index.ts';
import { createGrouping } from './grouping.ts';
import { keepMoving } from './keep-moving.ts';
import type { Loss, LossLedger } from './loss.ts';
import { openLossLedger } from './loss-ledger.ts';
import { startLossReporter } from './loss-report.ts';
import { watchMaxAge } from './max-age.ts';
import { type CacheOperations, createOperations } from './operations.ts';
import { openPausedWorkspaces } from './paused.ts';
import type { StoredGroup } from './payload-store.ts';
import { reconcile } from './reconcile.ts';
import { type RedisAddress, readMemoryRatio } from './redis.ts';
import { createRoom } from './room.ts';
import type { GroupId } from './segment-format.ts';
import { openSegmentStore } from './segment-store.ts';
import type { SettlementParts } from './settlement.ts';

/** Below this much free disk nothing more is taken, so that notes, index and logs still find room. */
const DISK_RESERVE_BYTES = 64 * 1024 * 1024;
/** Above this share of its memory Redis gets no more entries: at its limit even taking one fails. */
const REDIS_MEMORY_LIMIT = 0.8;
/** Seal, ids, names, times: what is stored beside a body and its headers. */
const STORED_OVERHEAD_BYTES = 1024;
const MEASURE_EVERY_MS = 2_000;

export interface CacheSettings {
  /** The cache's folder: `segments`, `dead-letters` and `losses` are in it. */
  readonly folder: string;
  /** Undefined: what the partition has room for at the start. */
  readonly limitBytes: number | undefined;
  readonly limitPerWorkspaceBytes: number | undefined;
  /** The six kinds; a full cache drops the first first. */
  readonly dropOrder: readonly Kind[];
  readonly deadLetterLimitBytes?: number;
  readonly groupBatches: number;
  readonly groupBytes: number;
  readonly segmentBytes: number;
  readonly memoryBytes: number;
  readonly groupsInFlight: number;
  readonly schedule: RetrySchedule;
  /** Bytes offered to a workspace in a second at most. */
  readonly maxBytesPerS?: number | undefined;
  /** How long data may wait; without it for ever. */
  readonly maxAgeMs?: number;
  /** How long nothing may move before the watchdog acts; without it there is none. */
  readonly watchdogMs?: number;
}

export interface CacheParts {
  readonly workspaces: readonly WorkspaceId[];
  readonly keys: KeyRing;
  readonly redis: Redis;
  readonly redisAddress: RedisAddress;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly onDamage: (bytes: number) => void;
  /** The watchdog made a workspace's connection anew. */
  readonly onReconnect?: (workspaceId: WorkspaceId) => void;
  /** Nothing moves any more: the process must end. */
  readonly onStuck?: (error: RelayError) => void;
  /** Told of everything that was given up, once it is in the loss ledger. */
  readonly onLoss: (loss: Loss) => void;
  readonly onDeadRecords?: SettlementParts['onDeadRecords'];
}

interface Lane {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  readonly ledger: Ledger;
  readonly consumer: Consumer;
  readonly givingUp: GivingUp;
}

/** The cache with what the command line looks into beside it. */
export interface DurableCache extends Cache {
  readonly deadLetters: DeadLetters;
  readonly losses: LossLedger;
  readonly operations: CacheOperations;
  /** The keys that seal what is kept, and what each still protects. */
  keyHoldings(): Promise<KeyHolding[]>;
  readonly forgetKey: ForgetKey;
}

/** Opens the cache, reads what it holds and makes the index agree with it. Redis must answer at this moment. */
export async function openCache(settings: CacheSettings, parts: CacheParts): Promise<DurableCache> {
  const { clock, log, redis, keys } = parts;
  const store = await openSegmentStore(
    { folder: `${settings.folder}/segments`, segmentBytes: settings.segmentBytes, memoryBytes: settings.memoryBytes },
    parts,
  );
  const losses = await openLossLedger(`${settings.folder}/losses`, parts);
  // A crash may have come between an entry and the drop.
  for (const { group, positions } of losses.sources()) store.markDone(group, positions);
  const deadLetters = await openDeadLetters(`${settings.folder}/dead-letters`, keys, {
    limitBytes: settings.deadLetterLimitBytes,
    enterLosses: (given) => losses.enter(given),
    log,
  });
  const paused = await openPausedWorkspaces(`${settings.folder}/paused.json`);
  const lanes = new Map(parts.workspaces.map((workspaceId) => [workspaceId, openLane(workspaceId)]));
  /** Stored but not yet in the index, so not acknowledged: reconciling must not take these for forgotten ones, nor the balance count them. */
  const indexing = new Map<GroupId, StoredGroup>();
  let obstacle: string | undefined;
  let closing: Promise<void> | undefined;

  function openLane(workspaceId: WorkspaceId): Lane {
    const ledger = createLedger();
    for (const kind of KINDS) {
      const { batches, bytes } = store.cached(workspaceId, kind);
      if (batches > 0) ledger.add('recovered', kind, batches, bytes);
    }
    const index = createGroupIndex(workspaceId, redis, parts.redisAddress, log, settings.dropOrder);
    const consumer = createConsumer({
      ...settings,
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
    });
    const givingUp = createGivingUp({ workspaceId, store, index, consumer, ledger, losses, isIndexing: (id) => indexing.has(id), log });
    return { workspaceId, index, ledger, consumer, givingUp };
  }

  async function reconcileLane({ workspaceId, index, consumer }: Lane): Promise<void> {
    const result = await consumer.withoutTaking(() =>
      reconcile({
        index,
        outstanding: () => store.outstanding(workspaceId).filter(({ id }) => !indexing.has(id)),
        has: store.has,
        inFlight: consumer.inFlight,
      }),
    );
    if (result.restored + result.removed + result.released > 0) log.warn({ workspaceId, ...result }, 'the index was made to agree with what is stored');
  }

  const reconcileAll = async (): Promise<void> => {
    for (const lane of lanes.values()) await reconcileLane(lane);
  };
  const onReady = (): void => {
    log.info('Redis answers again');
    reconcileAll().catch((error: unknown) =>
      log.warn({ reason: messageOf(error) }, 'the index could not be made to agree with what is stored; the next connection tries again'),
    );
  };
  const onClosed = (): void => {
    if (!closing) log.warn('Redis is away: agents are asked to come back, what is cached waits');
  };

  const measure = async (): Promise<void> => {
    obstacle = (await diskObstacle(settings.folder)) ?? (await memoryObstacle(redis));
  };

  const commit = (batches: readonly Batch[]): { stored: Promise<void>; indexed: Promise<void> } => {
    const stored = store.append(batches).then((group) => {
      indexing.set(group.id, group);
      return group;
    });
    return { stored: stored.then(() => {}), indexed: stored.then(addToIndex) };
  };

  const addToIndex = async (group: StoredGroup): Promise<void> => {
    const lane = lanes.get(group.workspaceId);
    try {
      await lane?.index.add(group, lane.consumer.placeOf(group.id));
    } catch (error) {
      // When only the answer was lost, the group may have been taken by its entry: then it is kept.
      const isTaken = !store.has(group.id) || lane?.consumer.inFlight().has(group.id) === true;
      if (!isTaken) {
        // Its agents are told that it was not kept, so it must not be sent either.
        lane?.consumer.withdrawn(group.id);
        store.withdraw(group.id);
        throw error;
      }
    } finally {
      indexing.delete(group.id);
    }
    lane?.consumer.wake();
  };

  const grouping = createGrouping({ maxBatches: settings.groupBatches, maxBytes: settings.groupBytes }, commit);
  const used = (workspaceId?: WorkspaceId): number => store.usedBytes(workspaceId) + deadLetters.usedBytes(workspaceId);
  const limitBytes = settings.limitBytes ?? (await defaultLimitBytes(settings.folder, used(), DISK_RESERVE_BYTES));
  const admission = createAdmission({ ...settings, limitBytes }, { usedBytes: used, obstacle: currentObstacle });
  const room = createRoom({ admission, dropOrder: settings.dropOrder, store, givingUpOf: (workspaceId) => lanes.get(workspaceId)?.givingUp });
  let stopReporting = (): Promise<void> => Promise.resolve();

  function currentObstacle(): string | undefined {
    if (closing !== undefined) return 'The relay is stopping.';
    if (redis.status !== 'ready') return 'Redis, which holds the queues, does not answer.';
    return obstacle;
  }

  const makeRoom = async (batch: Batch): Promise<Admitted> => {
    try {
      return await room.make(batch.workspaceId, batch.kind, storedBytes(batch));
    } catch (error) {
      log.error(
        { workspaceId: batch.workspaceId, reason: messageOf(error) },
        'no room could be made, because nothing can be given up now; a batch was refused',
      );
      return { admitted: false, message: `The cache is full, and nothing can be given up: ${messageOf(error)}.` };
    }
  };

  /** Room first, then the work, then the books. */
  const keep = async (batch: Batch, entry: 'received' | 'aside', work: () => Promise<PutOutcome>): Promise<PutOutcome> => {
    const lane = lanes.get(batch.workspaceId);
    if (!lane) return { outcome: 'unavailable', message: `Workspace ${batch.workspaceId} is not configured on this relay.` };
    const admitted = await makeRoom(batch);
    if (!admitted.admitted) return { outcome: 'full', message: admitted.message };
    try {
      const outcome = await work();
      if (outcome.outcome !== 'stored') return outcome;
      lane.ledger.add('received', batch.kind, 1, batch.body.length);
      if (entry === 'aside') lane.ledger.add('deadLettered', batch.kind, 1, batch.body.length);
      return outcome;
    } finally {
      admitted.release();
    }
  };

  const put = (batch: Batch): Promise<PutOutcome> => keep(batch, 'received', () => grouping.put(batch));

  const acknowledged = (workspaceId: WorkspaceId, kind: Kind): Amount => {
    let { batches, bytes } = store.cached(workspaceId, kind);
    for (const group of indexing.values()) {
      if (group.workspaceId !== workspaceId || group.kind !== kind) continue;
      batches -= group.batches;
      bytes -= group.bytes;
    }
    return { batches, bytes };
  };

  const statsOf = ({ workspaceId, consumer, ledger }: Lane): WorkspaceStats => {
    const oldestAt = store.oldestAt(workspaceId);
    const inFlight = consumer.inFlight().size;
    const unopenable = store.unopenable(workspaceId);
    const unreportedLosses = losses.unreported(workspaceId);
    return {
      workspaceId,
      upstream: consumer.state(),
      balance: ledger.balances((kind) => acknowledged(workspaceId, kind)),
      ...(oldestAt === undefined ? {} : { oldestAt }),
      groupsWaiting: Math.max(0, store.groups(workspaceId) - inFlight),
      groupsInFlight: inFlight,
      lastProgressAt: consumer.progress().lastAt,
      ...(consumer.isPaused() ? { paused: true } : {}),
      ...(ages.get(workspaceId)?.isGettingOld() ? { gettingOld: true } : {}),
      ...(unopenable.length === 0 ? {} : { unopenable }),
      ...(unreportedLosses.length === 0 ? {} : { lost: totalOf(unreportedLosses) }),
    };
  };

  for (const workspaceId of store.workspaces().filter((id) => !lanes.has(id))) {
    log.warn(
      { workspaceId, groups: store.groups(workspaceId) },
      'the cache holds data of a workspace that is not configured; it stays until the workspace is configured again',
    );
  }
  await reconcileAll();
  await measure();
  redis.on('ready', onReady);
  redis.on('close', onClosed);
  const stopMeasuring = every(clock, MEASURE_EVERY_MS, measure);
  const stopWatching = [...lanes.values()].map(watch);
  const ages = new Map(
    [...lanes.values()].map(({ workspaceId, givingUp }) => [
      workspaceId,
      watchMaxAge({ workspaceId, maxAgeMs: settings.maxAgeMs ?? Number.POSITIVE_INFINITY, store, givingUp, clock, log }),
    ]),
  );

  function watch({ workspaceId, index, consumer }: Lane): () => void {
    if (settings.watchdogMs === undefined) return () => {};
    const { onReconnect = () => {}, onStuck = () => {} } = parts;
    const isRedisThere = (): boolean => redis.status === 'ready';
    return keepMoving({ workspaceId, afterMs: settings.watchdogMs, consumer, index, isRedisThere, onReconnect, onStuck, clock, log });
  }

  const close = async (deadlineMs: number): Promise<void> => {
    stopMeasuring();
    for (const stop of stopWatching) stop();
    for (const { stop } of ages.values()) stop();
    await stopReporting();
    await grouping.drained();
    await Promise.all([...lanes.values()].map(({ consumer }) => consumer.stop(deadlineMs)));
    redis.off('ready', onReady);
    redis.off('close', onClosed);
    await Promise.all([...lanes.values()].map(({ index }) => index.close()));
    await losses.close();
    await store.close();
  };

  return {
    deadLetters,
    operations: createOperations({ store, paused, laneOf: (workspaceId) => lanes.get(workspaceId) }),
    losses,
    forgetKey: createForgetKey({ store, ledgerOf: (workspaceId) => lanes.get(workspaceId)?.ledger, losses, log }),
    async keyHoldings() {
      const ofLetters = await keysOfDeadLetters(`${settings.folder}/dead-letters`);
      return [...store.keyUse(), ...[...ofLetters].map(([keyId, letters]) => ({ keyId, deadLetters: letters }))];
    },
    put,
    putAside: (batch, cause) =>
      keep(batch, 'aside', () =>
        deadLetters.put(batch, cause, clock.now()).then(
          () => ({ outcome: 'stored' }) as const,
          (error: unknown) => ({ outcome: 'unavailable', message: messageOf(error) }) as const,
        ),
      ),
    consume(deliver: Deliver) {
      for (const { consumer } of lanes.values()) consumer.start(deliver);
      const isReachable = (workspaceId: WorkspaceId): boolean => lanes.get(workspaceId)?.consumer.state().state === 'awake';
      stopReporting = startLossReporter({ losses, workspaces: [...lanes.keys()], put, isReachable, hostName: hostname(), clock, log });
    },
    stats() {
      const reason = currentObstacle();
      return {
        workspaces: [...lanes.values()].map(statsOf),
        usedBytes: used(),
        limitBytes,
        ready: reason === undefined ? { ok: true } : { ok: false, reason },
      };
    },
    isHeld: (workspaceId) => lanes.get(workspaceId)?.consumer.state().state === 'held',
    close(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}

function totalOf(amounts: readonly Amount[]): Amount {
  return amounts.reduce((total, { batches, bytes }) => ({ batches: total.batches + batches, bytes: total.bytes + bytes }), { batches: 0, bytes: 0 });
}

/** What a batch takes on disk at most: its body, its seal, its description and its line in the group's header. */
function storedBytes({ body, origin }: Batch): number {
  return body.length + STORED_OVERHEAD_BYTES + JSON.stringify(origin.headers).length;
}

async function diskObstacle(folder: string): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  return free < DISK_RESERVE_BYTES ? `The disk of ${folder} is almost full: ${free} bytes are free, ${DISK_RESERVE_BYTES} are kept in reserve.` : undefined;
}

async function memoryObstacle(redis: Redis): Promise<string | undefined> {
  const ratio = await readMemoryRatio(redis).catch(() => 0);
  return ratio > REDIS_MEMORY_LIMIT ? `Redis uses ${Math.round(ratio * 100)} % of its maxmemory; raise it.` : undefined;
}
