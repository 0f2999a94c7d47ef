import type { Batch } from '../batch/batch.ts';
import type { CacheParts, CacheSettings, KeepingStep } from '../cache/cache-parts.ts';
import { type DurableCache, openCache } from '../cache/durable-cache.ts';
import { openRedis } from '../cache/open-redis.ts';
import type { RedisAddress } from '../cache/redis.ts';
import { redisInfo } from '../cache/redis-info.ts';
import type { Readiness } from '../metrics/plugin.ts';
import type { BatchTracer } from '../tracing/batch-tracer.ts';
import { createKeyRotation, type KeyRotation } from '../workspace/key-rotation.ts';
import type { Building } from './building.ts';
import type { Reporting } from './reporting.ts';
import type { Trust } from './trust.ts';

/** What keeps batches safe until they are delivered. */
export interface Keeping {
  readonly cache: DurableCache;
  readonly keyRotation: KeyRotation;
  /** What Redis tells of itself, over the connection of the cache. */
  readonly redisInfo: () => Promise<string>;
  /** Whether batches are taken at this moment. */
  readonly ready: () => Readiness;
}

/** Connects to Redis, opens the cache, and begins to look after the keys that seal it. */
export async function openKeeping(building: Building, trust: Trust, reporting: Pick<Reporting, 'lost'>): Promise<Keeping> {
  const redisAddress = await redisAddressOf(building);
  const redis = await openRedis(redisAddress, building.component('cache'));
  building.defer(() => redis.disconnect());
  const cache = await openSealedCache(building, trust, { redis, redisAddress, onLoss: reporting.lost });
  const keyRotation = await startKeyRotation(building, trust, cache);
  return { cache, keyRotation, redisInfo: () => redisInfo(redis), ready: () => cache.stats().ready };
}

async function openSealedCache(
  building: Building,
  { keys }: Trust,
  { onLoss, ...index }: Pick<CacheParts, 'redis' | 'redisAddress' | 'onLoss'>,
): Promise<DurableCache> {
  const { metrics, tracer, component, defer } = building;
  const cache = await openCache(cacheSettings(building), {
    workspaces: [...building.served],
    keys,
    ...index,
    clock: building.clock,
    random: building.random,
    log: component('cache'),
    onDamage: (bytes) => metrics.count('cacheDamagedBytes', {}, bytes),
    onReconnect: (workspace) => metrics.count('watchdogRestarts', { workspace }),
    onStuck: building.onStuck ?? (() => {}),
    onStalled: (workspace) => metrics.count('stalled', { workspace }),
    ...(tracer ? { onStep: stepsOf(tracer) } : {}),
    onDelivered: (batch, afterMs) => {
      const { workspaceId: workspace, kind, body } = batch;
      metrics.count('deliveredBatches', { workspace, kind });
      metrics.count('deliveredBytes', { workspace, kind }, body.length);
      metrics.observe('deliverySeconds', { workspace, kind }, afterMs / 1000);
      tracer?.finished(batch, { step: 'batch', ms: afterMs, outcome: 'delivered' });
    },
    onLoss: (loss) => {
      const { workspaceId: workspace, kind, reason, batches, records = 0, bytes } = loss;
      metrics.count('droppedBatches', { workspace, kind, reason }, batches);
      metrics.count('droppedBytes', { workspace, kind, reason }, bytes);
      metrics.count('droppedRecords', { workspace, kind, reason }, records);
      onLoss(loss);
    },
    onDeadRecords: (workspace, status, records) => metrics.count('deadLetterRecords', { workspace, status: String(status) }, records),
  });
  defer((deadlineMs) => cache.close(deadlineMs));
  return cache;
}

function stepsOf(tracer: BatchTracer): (batches: readonly Batch[], step: KeepingStep) => void {
  return (batches, step) => {
    for (const batch of batches) tracer.finished(batch, step);
  };
}

async function startKeyRotation({ configuration, clock, component, defer }: Building, trust: Trust, cache: DurableCache): Promise<KeyRotation> {
  const { group } = trust;
  const keyRotation = createKeyRotation({
    ring: trust.keys,
    keyLifeMs: configuration.cache.keyLife,
    holdings: async () => [...(await cache.keyHoldings()), ...group.sealedWith()],
    reseal: group.reseal,
    forget: cache.forgetKey,
    onOwnChange: trust.audit.system,
    clock,
    log: component('keys'),
  });
  defer(keyRotation.stop);
  await keyRotation.start();
  return keyRotation;
}

function cacheSettings({ configuration, inData }: Building): CacheSettings {
  const { cache, retry, upstream, workspaces } = configuration;
  const azure = workspaces.filter(({ protocol }) => protocol === 'logs-ingestion');
  return {
    folder: inData('cache'),
    limitBytes: cache.limit,
    limitPerWorkspaceBytes: cache.limitPerWorkspace,
    dropOrder: cache.dropOrder,
    deadLetterLimitBytes: cache.deadLetterLimit,
    groupBatches: cache.groupBatches,
    groupBytes: cache.groupSize,
    segmentBytes: cache.segmentSize,
    memoryBytes: cache.memory,
    groupsInFlight: upstream.groupsInFlight,
    groupsInFlightOf: new Map(azure.map(({ id, ingestion }) => [id, ingestion.groupsInFlight])),
    schedule: { everyMs: retry.every, windowMs: retry.window },
    maxBytesPerS: upstream.maxRate,
    maxAgeMs: cache.maxAge,
    // A workspace may be as slow as it is allowed to be.
    watchdogMs: Math.max(cache.watchdog, 2 * upstream.requestTimeout),
  };
}

async function redisAddressOf({ configuration, readSecret }: Building): Promise<RedisAddress> {
  const { socket, host, port, database, passwordFile } = configuration.cache.redis;
  return { socket, host, port, database, password: await readSecret(passwordFile) };
}
