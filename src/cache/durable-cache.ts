/**
 * The Cache on a payload store and a BullMQ index. A batch's way: admission → grouping → store (sealed, synced) → index → acknowledged;
 * then, a second or a week later, its workspace's consumer.
 */
import { hostname } from 'node:os';
import type { Batch } from '../batch/batch.ts';
import type { Deliver } from '../batch/verdict.ts';
import { messageOf } from '../errors.ts';
import type { KeyHolding } from '../workspace/key-rotation.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { type Admitted, createAdmission } from './admission.ts';
import type { Cache, PutOutcome } from './cache.ts';
import type { CacheParts, CacheSettings } from './cache-parts.ts';
import { keysOfDeadLetters } from './dead-letter-keys.ts';
import { type DeadLetters, openDeadLetters } from './dead-letters.ts';
import { defaultLimitBytes } from './default-limit.ts';
import { createForgetKey, type ForgetKey } from './forget-key.ts';
import { watchGround } from './ground.ts';
import { createGrouping } from './grouping.ts';
import { createIndexing } from './indexing.ts';
import { openLane } from './lane.ts';
import type { LossLedger } from './loss.ts';
import { openLossLedger } from './loss-ledger.ts';
import { startLossReporter } from './loss-report.ts';
import { DISK_RESERVE_BYTES, obstaclesOf } from './obstacles.ts';
import { type CacheOperations, createOperations } from './operations.ts';
import { openPausedWorkspaces } from './paused.ts';
import type { StoredGroup } from './payload-store.ts';
import { createPutCopy, type PutCopy } from './put-copy.ts';
import { createRoom } from './room.ts';
import { openSegmentStore } from './segment-store.ts';

/** Seal, ids, names, times: what is stored beside a body and its headers. */
const STORED_OVERHEAD_BYTES = 1024;

/** The cache with what the command line looks into beside it. */
export interface DurableCache extends Cache {
  /** Keeps a copy of what another workspace has already; one without room is entered as a loss, and nobody is refused for it. */
  readonly putCopy: PutCopy;
  readonly deadLetters: DeadLetters;
  /** Counts bytes against a workspace's rate that were offered to it besides what is cached: parts of batches. */
  spent(workspaceId: WorkspaceId, bytes: number): void;
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
  const indexing = createIndexing();
  const shared = { settings, parts, store, losses, deadLetters, paused, indexing };
  const lanes = new Map(parts.workspaces.map((workspaceId) => [workspaceId, openLane(workspaceId, shared)]));
  let closing: Promise<void> | undefined;

  const reconcileAll = async (): Promise<void> => {
    for (const lane of lanes.values()) await lane.reconcile();
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

  const commit = (batches: readonly Batch[]): { stored: Promise<void>; indexed: Promise<void> } => {
    const stored = store.append(batches).then((group) => {
      indexing.begin(group);
      return group;
    });
    return { stored: stored.then(() => {}), indexed: stored.then((group) => addToIndex(group, batches)) };
  };

  const addToIndex = async (group: StoredGroup, batches: readonly Batch[]): Promise<void> => {
    const lane = lanes.get(group.workspaceId);
    const begin = performance.now();
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
      indexing.end(group.id);
    }
    parts.onStep?.(batches, { step: 'index', ms: performance.now() - begin });
    lane?.consumer.added();
  };

  const grouping = createGrouping({ maxBatches: settings.groupBatches, maxBytes: settings.groupBytes }, commit);
  const used = (workspaceId?: WorkspaceId): number => store.usedBytes(workspaceId) + deadLetters.usedBytes(workspaceId);
  const limitBytes = settings.limitBytes ?? (await defaultLimitBytes(settings.folder, used(), DISK_RESERVE_BYTES));
  const admission = createAdmission({ ...settings, limitBytes }, { usedBytes: used, obstacle: () => obstacles()[0] });
  const room = createRoom({ admission, dropOrder: settings.dropOrder, store, givingUpOf: (workspaceId) => lanes.get(workspaceId)?.givingUp });
  let stopReporting = (): Promise<void> => Promise.resolve();

  function obstacles(): string[] {
    return [...(closing === undefined ? [] : ['The relay is stopping.']), ...obstaclesOf(ground.current(), settings.folder)];
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

  for (const workspaceId of store.workspaces().filter((id) => !lanes.has(id))) {
    log.warn(
      { workspaceId, groups: store.groups(workspaceId) },
      'the cache holds data of a workspace that is not configured; it stays until the workspace is configured again',
    );
  }
  await reconcileAll();
  const ground = await watchGround(settings.folder, redis, clock);
  redis.on('ready', onReady);
  redis.on('close', onClosed);
  for (const lane of lanes.values()) lane.watch();

  const close = async (deadlineMs: number): Promise<void> => {
    ground.stop();
    await stopReporting();
    await grouping.drained();
    await Promise.all([...lanes.values()].map((lane) => lane.stop(deadlineMs)));
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
    spent: (workspaceId, bytes) => lanes.get(workspaceId)?.consumer.spent(bytes),
    forgetKey: createForgetKey({ store, ledgerOf: (workspaceId) => lanes.get(workspaceId)?.ledger, losses, log }),
    async keyHoldings() {
      const ofLetters = await keysOfDeadLetters(`${settings.folder}/dead-letters`);
      return [...store.keyUse(), ...[...ofLetters].map(([keyId, letters]) => ({ keyId, deadLetters: letters }))];
    },
    put,
    putCopy: createPutCopy({ put, obstacle: () => obstacles()[0], ledgerOf: (workspaceId) => lanes.get(workspaceId)?.ledger, losses, log }),
    putAside: (batch, cause) =>
      keep(batch, 'aside', () =>
        deadLetters.put(batch, cause, clock.now()).then(
          () => ({ outcome: 'stored' }) as const,
          (error: unknown) => ({ outcome: 'unavailable', message: messageOf(error) }) as const,
        ),
      ),
    consume(deliver: Deliver) {
      for (const lane of lanes.values()) lane.consume(deliver);
      const isReachable = (workspaceId: WorkspaceId): boolean => lanes.get(workspaceId)?.consumer.state().state === 'awake';
      stopReporting = startLossReporter({ losses, workspaces: [...lanes.keys()], put, isReachable, hostName: hostname(), clock, log });
    },
    stats() {
      const reasons = obstacles();
      return {
        workspaces: [...lanes.values()].map((lane) => lane.stats()),
        usedBytes: used(),
        limitBytes,
        ready: reasons.length === 0 ? { ok: true } : { ok: false, reasons },
        ground: ground.current(),
      };
    },
    isHeld: (workspaceId) => lanes.get(workspaceId)?.consumer.state().state === 'held',
    close(deadlineMs) {
      closing ??= close(deadlineMs);
      return closing;
    },
  };
}

/** What a batch takes on disk at most: its body, its seal, its description and its line in the group's header. */
function storedBytes({ body, origin }: Batch): number {
  return body.length + STORED_OVERHEAD_BYTES + JSON.stringify(origin.headers).length;
}
