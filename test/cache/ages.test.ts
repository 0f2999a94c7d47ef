import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import type { Verdict } from '../../src/batch/verdict.ts';
import type { WorkspaceStats } from '../../src/cache/cache.ts';
import type { DurableCache } from '../../src/cache/durable-cache.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, START_MS, textsOf, WORKSPACE } from './batches.ts';
import { cacheRig, waiting } from './cache-rig.ts';

const MINUTE_MS = 60_000;
const DELIVERED: Verdict = { outcome: 'delivered' };
const AWAY: Verdict = { outcome: 'retry', scope: 'workspace', reason: 'connect ECONNREFUSED' };
const ALONE: Verdict = { outcome: 'retry', scope: 'batch', reason: 'HTTP 500' };

function statsOf(cache: DurableCache): WorkspaceStats {
  const [stats] = cache.stats().workspaces;
  assert.ok(stats);
  return stats;
}

describe('the age of what waits', () => {
  it('is told by kind, and is none when nothing waits', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    assert.deepEqual([statsOf(cache).oldestByKind, statsOf(cache).oldestAt, statsOf(cache).dueSince], [{}, undefined, undefined]);
    await cache.put(batchOf('p', { kind: 'Performance', receivedAt: START_MS + 2 }));
    await cache.put(batchOf('e', { kind: 'Event', receivedAt: START_MS + 1 }));
    await cache.put(batchOf('e2', { kind: 'Event', receivedAt: START_MS + 3 }));
    assert.deepEqual(statsOf(cache).oldestByKind, { Performance: START_MS + 2, Event: START_MS + 1 });
    assert.equal(statsOf(cache).oldestAt, START_MS + 1);
  });

  it('counts as due from the moment it came while the workspace answers', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    const never = Promise.withResolvers<readonly Verdict[]>();
    cache.consume(() => never.promise);
    rig.clock.advance(MINUTE_MS);
    await cache.put(batchOf('a', { receivedAt: rig.clock.now() }));
    rig.clock.advance(5 * MINUTE_MS);
    assert.equal(statsOf(cache).dueSince, START_MS + MINUTE_MS);
    never.resolve([DELIVERED]);
    await eventually('it is delivered', () => statsOf(cache).dueSince === undefined);
  });

  it('is not due while the workspace is away, but its try is; once it answers, everything is due from then', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ groupsInFlight: 1 });
    const held = Promise.withResolvers<void>();
    let isAway = true;
    cache.consume(async (batches) => {
      if (!isAway && textsOf(batches)[0] === 'second') await held.promise;
      return batches.map(() => (isAway ? AWAY : DELIVERED));
    });
    await cache.put(batchOf('first', { receivedAt: START_MS }));
    await eventually('the outage is noticed', () => statsOf(cache).upstream.state === 'resting' && statsOf(cache).groupsInFlight === 0);
    await cache.put(batchOf('second', { receivedAt: START_MS }));
    rig.clock.advance(8 * MINUTE_MS - 1);
    assert.equal(statsOf(cache).dueSince, undefined);
    assert.equal(statsOf(cache).upstream.heldAt, START_MS + 120 * MINUTE_MS);
    isAway = false;
    rig.clock.advance(1);
    await eventually('the workspace answers', () => statsOf(cache).upstream.state === 'awake');
    await eventually('only the second is left', () => waiting(cache) === 1);
    rig.clock.advance(MINUTE_MS);
    assert.equal(statsOf(cache).dueSince, START_MS + 8 * MINUTE_MS);
    held.resolve();
  });

  it('leaves out a group that fails alone until its own try is due, and what is paused', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    cache.consume(async (batches: readonly Batch[]) => batches.map(() => ALONE));
    await cache.put(batchOf('alone', { receivedAt: START_MS }));
    await eventually('it waits by itself', () => statsOf(cache).groupsDelayed === 1);
    assert.equal(statsOf(cache).dueSince, undefined);
    assert.equal(statsOf(cache).oldestAt, START_MS);
    await cache.operations.pause(WORKSPACE, true);
    await cache.put(batchOf('other', { receivedAt: START_MS + 1 }));
    assert.equal(statsOf(cache).dueSince, undefined);
    rig.clock.advance(MINUTE_MS);
    await cache.operations.pause(WORKSPACE, false);
    // Resumed: what waited can go from now on.
    const { dueSince } = statsOf(cache);
    assert.ok(dueSince === undefined || dueSince === START_MS + MINUTE_MS);
  });
});

describe('what the cache tells of its ground', () => {
  it('is the disk, Redis and the index as they were measured last', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    const { ground, ready } = cache.stats();
    assert.deepEqual(ready, { ok: true });
    assert.ok(ground.disk.freeBytes > 0 && ground.disk.sizeBytes >= ground.disk.freeBytes);
    assert.ok(ground.redis.memoryUsedBytes > 0);
    assert.deepEqual([ground.redis.aofOk, ground.redis.saveOk, ground.redis.evictedKeys, ground.doesRedisAnswer], [true, true, 0, true]);
    await cache.put(batchOf('a'));
    rig.clock.advance(15_000);
    await eventually('the index is counted', () => statsOf(cache).indexCounts?.waiting === 1);
  });
});

describe('what the cache tells while it delivers', () => {
  it('is each batch that was taken, with how long it had been ours', async () => {
    await using rig = await cacheRig();
    const told: (readonly [string, number])[] = [];
    const cache = await rig.open({}, { onDelivered: (batch, afterMs) => void told.push([String(batch.body), afterMs]) });
    await cache.put(batchOf('a', { receivedAt: START_MS }));
    rig.clock.advance(90_000);
    cache.consume(async (batches) => batches.map(() => DELIVERED));
    await eventually('it is delivered', () => waiting(cache) === 0);
    assert.deepEqual(told, [['a', 90_000]]);
  });

  it('is not a batch that was refused, or that waits for its next try', async () => {
    await using rig = await cacheRig();
    let told = 0;
    const cache = await rig.open(
      {},
      {
        onDelivered: () => {
          told += 1;
        },
      },
    );
    cache.consume(async (batches) => batches.map((batch) => (String(batch.body) === 'bad' ? { outcome: 'refused', status: 400, answer: 'no' } : ALONE)));
    await cache.put(batchOf('bad'));
    await cache.put(batchOf('alone'));
    await eventually('both are dealt with', () => statsOf(cache).groupsDelayed === 1 && statsOf(cache).deadLetters.letters === 1);
    assert.equal(told, 0);
  });
});
