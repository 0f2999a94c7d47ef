import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import type { Batch } from '../../src/batch/batch.ts';
import { KINDS } from '../../src/batch/kind.ts';
import type { Deliver, Verdict } from '../../src/batch/verdict.ts';
import { unaccounted } from '../../src/cache/balance.ts';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheSettings } from '../../src/cache/cache-parts.ts';
import { type DurableCache, openCache } from '../../src/cache/durable-cache.ts';
import { connectRedis } from '../../src/cache/redis.ts';
import { type RedisServer, startRedisServer } from '../../src/demo/redis-server.ts';
import { silentLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { seeded } from '../support/seeded.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, newKeys, OTHER, START_MS, seededBytes, textsOf, WORKSPACE } from './batches.ts';

interface Rig extends AsyncDisposable {
  readonly folder: string;
  readonly clock: ManualClock;
  /** The connection of the cache opened last. */
  redis: Redis;
  open(more?: Partial<CacheSettings>): Promise<DurableCache>;
  stopRedis(signal: NodeJS.Signals): Promise<void>;
  startRedis(): Promise<void>;
}

async function rigWithRedis(): Promise<Rig> {
  const folder = await temporaryFolder();
  const start = (): Promise<RedisServer> => startRedisServer(join(folder.path, 'redis'));
  let server = await start();
  const address = { socket: server.socket, host: '', port: 0, database: 0 };
  const keys = newKeys();
  const clock = createManualClock(Date.now());
  const random = seededBytes(4);
  const caches: DurableCache[] = [];
  const connections: Redis[] = [];
  const connect = async (): Promise<Redis> => {
    const redis = await connectRedis(address, 10_000, () => {});
    connections.push(redis);
    return redis;
  };
  const rig: Rig = {
    folder: folder.path,
    clock,
    redis: await connect(),
    async open(more = {}) {
      rig.redis = await connect();
      const cache = await openCache(
        {
          folder: join(folder.path, 'cache'),
          limitBytes: 100_000_000,
          limitPerWorkspaceBytes: undefined,
          dropOrder: KINDS,
          groupBatches: 32,
          groupBytes: 1_000_000,
          segmentBytes: 100_000,
          memoryBytes: 1_000_000,
          groupsInFlight: 4,
          schedule: { everyMs: 480_000, windowMs: 7_200_000 },
          ...more,
        },
        {
          workspaces: [WORKSPACE, OTHER],
          keys,
          redis: rig.redis,
          redisAddress: address,
          clock,
          random,
          log: silentLogger,
          onDamage: () => {},
          onLoss: () => {},
        },
      );
      caches.push(cache);
      return cache;
    },
    stopRedis: (signal) => server.stop(signal),
    async startRedis() {
      server = await start();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(caches.map((cache) => cache.close(1_000)));
      for (const redis of connections) redis.disconnect();
      await server.stop('SIGKILL');
      await folder[Symbol.asyncDispose]();
    },
  };
  return rig;
}

const DELIVERED: Verdict = { outcome: 'delivered' };
const AWAY: Verdict = { outcome: 'retry', scope: 'workspace', reason: 'connect ECONNREFUSED' };

/** An upstream that takes everything and remembers it. */
function upstream(): { readonly got: Batch[]; readonly deliver: Deliver } {
  const got: Batch[] = [];
  return {
    got,
    deliver(batches) {
      got.push(...batches);
      return Promise.resolve(batches.map(() => DELIVERED));
    },
  };
}

function missing(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { balance }) => sum + balance.reduce((of, one) => of + Math.abs(unaccounted(one)), 0), 0);
}

function waiting(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { groupsWaiting, groupsInFlight }) => sum + groupsWaiting + groupsInFlight, 0);
}

describe('the durable cache', () => {
  it('says stored only when the bytes are in a file and the entry is in Redis', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open();
    for (let round = 0; round < 10; round += 1) {
      assert.deepEqual(await cache.put(batchOf(`round ${round}`)), { outcome: 'stored' });
      const folder = join(rig.folder, 'cache', 'segments', WORKSPACE);
      const [file = ''] = (await readdir(folder)).filter((name) => name.endsWith('.segment'));
      const groups = (await readFile(join(folder, file))).toString('latin1').split('RLG1').length - 1;
      const entries = await rig.redis.llen(`relay:{${WORKSPACE}}:groups:wait`);
      assert.deepEqual([groups, entries], [round + 1, round + 1]);
    }
  });

  it('delivers what was put, each batch once and as it was', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open();
    const { got, deliver } = upstream();
    cache.consume(deliver);
    const batches = Array.from({ length: 200 }, (_, at) =>
      batchOf(`${at}`, { kind: at % 3 === 0 ? 'Alert' : 'Event', workspaceId: at % 2 === 0 ? WORKSPACE : OTHER }),
    );
    const outcomes = await Promise.all(batches.map((batch) => cache.put(batch)));
    assert.ok(outcomes.every(({ outcome }) => outcome === 'stored'));
    await eventually('all is delivered', () => waiting(cache) === 0);
    const byId = (a: Batch, b: Batch): number => a.id.localeCompare(b.id);
    assert.deepEqual(got.sort(byId), batches.sort(byId));
    assert.equal(missing(cache), 0);
    assert.equal(cache.stats().usedBytes, 0);
  });

  it('accounts for every batch at every moment, under load, with failures of all sorts', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open({ limitBytes: 60_000 });
    const random = seeded(17);
    const verdicts: readonly Verdict[] = [
      DELIVERED,
      DELIVERED,
      DELIVERED,
      { outcome: 'refused', status: 400, answer: 'no' },
      { outcome: 'retry', scope: 'batch', reason: 'this one' },
      { ...AWAY, retryAfterMs: 1_000 },
    ];
    cache.consume(async (batches) => {
      if (random() < 0.5) await new Promise(setImmediate);
      return batches.map(() => verdicts[Math.floor(random() * verdicts.length)] ?? DELIVERED);
    });
    const puts: Promise<unknown>[] = [];
    for (let step = 0; step < 600; step += 1) {
      if (random() < 0.6)
        puts.push(
          cache.put(
            batchOf('x'.repeat(Math.floor(random() * 300)), { kind: random() < 0.5 ? 'Event' : 'State', workspaceId: random() < 0.5 ? WORKSPACE : OTHER }),
          ),
        );
      if (random() < 0.05) puts.push(cache.putAside(batchOf('strange'), { reason: 'quarantined', answer: 'nobody can read it' }));
      if (random() < 0.2) rig.clock.advance(1_000);
      await new Promise(setImmediate);
      assert.equal(missing(cache), 0, `step ${step}`);
    }
    await Promise.all(puts);
    assert.equal(missing(cache), 0);
    const amounts = cache.stats().workspaces.flatMap(({ balance }) => balance);
    for (const entry of ['received', 'delivered', 'deadLettered'] as const)
      assert.ok(
        amounts.some((one) => one[entry].batches > 0),
        entry,
      );
  });

  it('answers quickly while Redis is away, keeps nothing of what it refused, and goes on by itself', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open();
    const { got, deliver } = upstream();
    await cache.put(batchOf('before'));
    const during = Array.from({ length: 20 }, (_, at) => cache.put(batchOf(`during ${at}`)));
    await rig.stopRedis('SIGKILL');
    const startedAt = performance.now();
    const outcomes = await Promise.all(during);
    const refused = await cache.put(batchOf('while away'));
    assert.notEqual(refused.outcome, 'stored');
    assert.ok(performance.now() - startedAt < 6_000);
    await eventually('the relay is not ready', () => !cache.stats().ready.ok);
    assert.equal(missing(cache), 0);

    cache.consume(deliver);
    await rig.startRedis();
    await eventually('batches are taken again', async () => (await cache.put(batchOf('after'))).outcome === 'stored');
    await eventually('all is delivered', () => {
      rig.clock.advance(2_000);
      return waiting(cache) === 0;
    });
    const texts = textsOf(got);
    assert.ok(texts.includes('before') && texts.includes('after') && !texts.includes('while away'));
    for (const [at, { outcome }] of outcomes.entries()) assert.equal(texts.includes(`during ${at}`), outcome === 'stored', `during ${at}: ${outcome}`);
    assert.equal(missing(cache), 0);
  });

  it('delivers all it acknowledged when Redis dies again and again', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open();
    const { got, deliver } = upstream();
    cache.consume(deliver);
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const puts = Array.from({ length: 30 }, async (_, at) => {
        const text = `${round} ${at}`;
        if ((await cache.put(batchOf(text))).outcome === 'stored') acknowledged.push(text);
      });
      await Promise.all([...puts, rig.stopRedis('SIGKILL')]);
      await rig.startRedis();
      await eventually('Redis answers again', () => cache.stats().ready.ok);
    }
    await eventually('all is delivered', () => {
      rig.clock.advance(2_000);
      return waiting(cache) === 0;
    });
    const texts = new Set(textsOf(got));
    assert.deepEqual(
      acknowledged.filter((text) => !texts.has(text)),
      [],
    );
    assert.equal(missing(cache), 0);
  });

  it('loses nothing when Redis comes back empty', async () => {
    await using rig = await rigWithRedis();
    const before = await rig.open();
    for (const text of ['a', 'b', 'c']) await before.put(batchOf(text));
    await before.close(1_000);
    await rig.redis.flushall();
    const cache = await rig.open();
    const { got, deliver } = upstream();
    cache.consume(deliver);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.deepEqual(textsOf(got).sort(), ['a', 'b', 'c']);
  });

  it('is full at its limit, and takes batches again when it has drained', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open({ limitBytes: 5_000 });
    let stored = 0;
    let full = await cache.put(batchOf('x'.repeat(500)));
    for (; full.outcome === 'stored'; full = await cache.put(batchOf('x'.repeat(500)))) stored += 1;
    assert.ok(stored >= 3 && stored < 10);
    assert.equal(full.outcome, 'full');
    assert.match(full.outcome === 'full' ? full.message : '', /of 5000 bytes \(cache\.limit\)/);
    assert.ok(cache.stats().usedBytes <= 5_000 + 1_000);
    const { got, deliver } = upstream();
    cache.consume(deliver);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.equal(got.length, stored);
    assert.deepEqual(await cache.put(batchOf('x'.repeat(500))), { outcome: 'stored' });
  });

  it('lets one workspace neither use up the share of another nor slow it', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open({ limitBytes: 100_000, limitPerWorkspaceBytes: 3_000 });
    const delivered: Batch[] = [];
    cache.consume((batches) => {
      const isAway = batches.some(({ workspaceId }) => workspaceId === WORKSPACE);
      if (!isAway) delivered.push(...batches);
      return Promise.resolve(batches.map(() => (isAway ? AWAY : DELIVERED)));
    });
    let first = await cache.put(batchOf('x'.repeat(500)));
    while (first.outcome === 'stored') first = await cache.put(batchOf('x'.repeat(500)));
    assert.equal(first.outcome, 'full');
    for (let at = 0; at < 20; at += 1) assert.deepEqual(await cache.put(batchOf(`${at}`, { workspaceId: OTHER })), { outcome: 'stored' });
    await eventually('the other one gets everything', () => delivered.length === 20);
    assert.ok(delivered.every(({ workspaceId }) => workspaceId === OTHER));
    const states = new Map(cache.stats().workspaces.map(({ workspaceId, upstream: { state } }) => [workspaceId, state]));
    assert.deepEqual([states.get(WORKSPACE), states.get(OTHER)], ['resting', 'awake']);
  });

  it('refuses a batch of a workspace that it does not serve', async () => {
    await using rig = await rigWithRedis();
    const cache = await rig.open();
    const outcome = await cache.put(batchOf('x', { workspaceId: '99999999-9999-4999-8999-999999999999' as Batch['workspaceId'] }));
    assert.equal(outcome.outcome, 'unavailable');
  });

  it('counts what it finds as recovered, and delivers it', async () => {
    await using rig = await rigWithRedis();
    const before = await rig.open();
    for (const text of ['a', 'bb', 'ccc']) await before.put(batchOf(text));
    await before.close(1_000);
    await before.close(1_000);
    assert.notEqual((await before.put(batchOf('late'))).outcome, 'stored');

    const cache = await rig.open();
    const [of] = cache.stats().workspaces;
    assert.deepEqual(of?.balance[0]?.recovered, { batches: 3, bytes: 6 });
    assert.equal(of?.oldestAt, START_MS);
    assert.equal(missing(cache), 0);
    const { got, deliver } = upstream();
    cache.consume(deliver);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.deepEqual(textsOf(got).sort(), ['a', 'bb', 'ccc']);
    assert.equal(missing(cache), 0);
  });

  it('delivers what was in flight when the one before ended without a word', async () => {
    await using rig = await rigWithRedis();
    const before = await rig.open();
    before.consume(() => new Promise(() => {}));
    for (const text of ['a', 'b', 'c']) await before.put(batchOf(text));
    await eventually('all is in flight', () => before.stats().workspaces[0]?.groupsInFlight === 3);
    let isClosed = false;
    const closing = before.close(1_000).then(() => {
      isClosed = true;
    });
    await eventually('it gave up', () => {
      rig.clock.advance(1_000);
      return isClosed;
    });
    await closing;
    const cache = await rig.open();
    const { got, deliver } = upstream();
    cache.consume(deliver);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.deepEqual(textsOf(got).sort(), ['a', 'b', 'c']);
  });
});
