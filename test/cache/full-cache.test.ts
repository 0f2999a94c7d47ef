import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import type { Batch } from '../../src/batch/batch.ts';
import { KINDS, type Kind } from '../../src/batch/kind.ts';
import type { Verdict } from '../../src/batch/verdict.ts';
import { unaccounted } from '../../src/cache/balance.ts';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheSettings } from '../../src/cache/cache-parts.ts';
import { type DurableCache, openCache } from '../../src/cache/durable-cache.ts';
import type { Loss } from '../../src/cache/loss.ts';
import { connectRedis } from '../../src/cache/redis.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { silentLogger } from '../../src/logger.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, newKeys, OTHER, START_MS, seededBytes, WORKSPACE } from './batches.ts';

interface Rig extends AsyncDisposable {
  readonly folder: string;
  readonly clock: ManualClock;
  readonly redis: Redis;
  /** Everything entered in a loss ledger, in order. */
  readonly lost: Loss[];
  /** Called when a loss has just become durable, before anything else happens. */
  onLoss: () => void;
  open(more?: Partial<CacheSettings>): Promise<DurableCache>;
}

async function fullCacheRig(): Promise<Rig> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const server = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => server.stop('SIGKILL'));
  const redisAddress = { socket: server.socket, host: '', port: 0, database: 0 };
  const redis = await connectRedis(redisAddress, 10_000, () => {});
  parts.defer(() => redis.disconnect());
  const keys = newKeys();
  const clock = createManualClock(START_MS);
  const random = seededBytes(4);
  const lost: Loss[] = [];
  const limits = { limitBytes: 1_000_000, limitPerWorkspaceBytes: undefined, groupBatches: 1, groupBytes: 4_000, segmentBytes: 4_000, memoryBytes: 0 };
  const all = parts.move();
  const rig: Rig = {
    folder,
    clock,
    redis,
    lost,
    onLoss: () => {},
    async open(more = {}) {
      const how = { ...limits, dropOrder: KINDS, groupsInFlight: 4, schedule: { everyMs: 480_000, windowMs: 7_200_000 } };
      const onLoss = (loss: Loss): void => {
        lost.push(loss);
        rig.onLoss();
      };
      const cache = await openCache(
        { folder: join(folder, 'cache'), ...how, ...more },
        { workspaces: [WORKSPACE, OTHER], keys, redis, redisAddress, clock, random, log: silentLogger, onDamage: () => {}, onLoss },
      );
      all.defer(() => cache.close(0));
      return cache;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
  return rig;
}

const AGENTS = ['aaaaaaaa-0000-4000-8000-000000000001', 'bbbbbbbb-0000-4000-8000-000000000002'] as const;
const BODY_BYTES = 2_000;
const DELIVERED: Verdict = { outcome: 'delivered' };

/** A batch of 2 kB with so many records. */
function sized(kind: Kind, number: number, more: Partial<Batch> = {}): Batch {
  const items = Array.from({ length: 1 + (number % 3) }, (_, at) => ({ at }));
  const body = JSON.stringify({ DataType: `${kind}_BLOB`, Text: `${kind} ${number}`, DataItems: items }).padEnd(BODY_BYTES);
  return batchOf(body, { kind, dataType: `${kind}_BLOB`, agentId: AGENTS[number % 2] as AgentId, receivedAt: START_MS + number, ...more });
}

function textOf({ body }: Batch): string {
  return (JSON.parse(body.toString()) as { readonly Text: string }).Text;
}

function missing(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { balance }) => sum + balance.reduce((of, one) => of + Math.abs(unaccounted(one)), 0), 0);
}

function cachedBatches(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { balance }) => sum + balance.reduce((of, { cached }) => of + cached.batches, 0), 0);
}

function droppedOf(cache: Cache, kind: Kind): number {
  return cache.stats().workspaces.reduce((sum, { balance }) => sum + balance.reduce((of, one) => of + (one.kind === kind ? one.dropped.batches : 0), 0), 0);
}

/** Delivers everything and returns it, once what was lost is reported too. */
async function drain(rig: Rig, cache: DurableCache): Promise<Batch[]> {
  const got: Batch[] = [];
  cache.consume((batches) => {
    got.push(...batches);
    return Promise.resolve(batches.map(() => DELIVERED));
  });
  await eventually('all is delivered and told', () => {
    rig.clock.advance(10_000);
    return cachedBatches(cache) === 0 && cache.losses.list().every(({ reported }) => reported);
  });
  return got;
}

interface OperationRecord {
  readonly OperationStatus: string;
  readonly Category: string;
  readonly Detail: string;
}

function reportsIn(batches: readonly Batch[]): { readonly others: Batch[]; readonly records: OperationRecord[]; readonly ids: string[] } {
  const reports = batches.filter(({ dataType }) => dataType === 'OPERATION_BLOB');
  const records = reports.flatMap(({ body }) => (JSON.parse(inflateSync(body).toString()) as { readonly DataItems: OperationRecord[] }).DataItems);
  return { others: batches.filter((batch) => !reports.includes(batch)), records, ids: reports.map(({ id }) => id) };
}

describe('a full cache', () => {
  it('drops the lowest kind first, the oldest of it first; the ledger, the books and the report agree to the record', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open({ limitBytes: 60_000 });
    // The youngest kinds first, so that nothing but the order of kinds can explain what goes.
    const kinds = [...KINDS].reverse();
    const first: Batch[] = [];
    for (let number = 1; number <= 4; number += 1) for (const kind of kinds) first.push(sized(kind, number));
    const stored: Batch[] = [];
    for (const batch of first) if ((await cache.put(batch)).outcome === 'stored') stored.push(batch);
    for (let number = 10; ; number += 1) {
      const alert = sized('Alert', number);
      const { outcome } = await cache.put(alert);
      assert.equal(missing(cache), 0);
      assert.ok(cache.stats().usedBytes <= 60_000);
      if (outcome !== 'stored') break;
      stored.push(alert);
    }
    assert.equal(cachedBatches(cache), stored.length - rig.lost.length);
    assert.equal((await cache.put(sized('Event', 99))).outcome, 'full', 'nothing lower is held any more');

    const expected = KINDS.slice(0, -1).flatMap((kind) => stored.filter((batch) => batch.kind === kind));
    assert.deepEqual(
      rig.lost.map(({ kind, firstAt, bytes }) => [kind, firstAt, bytes]),
      expected.map(({ kind, receivedAt, body }) => [kind, receivedAt, body.length]),
    );
    for (const kind of KINDS) assert.equal(droppedOf(cache, kind), rig.lost.filter((loss) => loss.kind === kind).length, kind);

    const entries = cache.losses.list();
    const { others, records, ids } = reportsIn(await drain(rig, cache));
    assert.deepEqual(
      others.map(textOf).sort(),
      stored
        .filter(({ kind }) => kind === 'Alert')
        .map(textOf)
        .sort(),
    );
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(records.length, entries.length);
    for (const { kind, batches, records: count, bytes, agentId, firstAt, lastAt } of entries) {
      const facts = `${batches} batches (${count} records, ${bytes} bytes) of ${kind} data, ${kind}_BLOB, from agent ${agentId}`;
      const span = `received from ${new Date(firstAt).toISOString()} to ${new Date(lastAt).toISOString()}`;
      const told = records.filter(({ Detail }) => Detail.includes(`${facts}, ${span}: the cache was full`));
      assert.deepEqual([told.length, told[0]?.OperationStatus, told[0]?.Category], [1, 'Warning', 'Relay'], facts);
      const own = expected.filter((batch) => batch.kind === kind && batch.agentId === agentId);
      assert.equal(
        count,
        own.reduce((sum, { receivedAt }) => sum + 1 + ((receivedAt - START_MS) % 3), 0),
      );
    }
    assert.equal(missing(cache), 0);
  });

  it('drops no more than is needed, and nothing when all of it would not be enough', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open({ limitBytes: 20_000 });
    for (let number = 1; (await cache.put(sized('Performance', number))).outcome === 'stored'; number += 1);
    const held = cachedBatches(cache);
    assert.deepEqual(await cache.put(sized('Event', 50)), { outcome: 'stored' });
    assert.ok(rig.lost.length >= 1 && rig.lost.length <= 2, `${rig.lost.length} went for one of the same size`);
    const gone = rig.lost.length;
    const huge = await cache.put(batchOf('x'.repeat(30_000), { kind: 'Alert' }));
    assert.equal(huge.outcome, 'full');
    assert.deepEqual([rig.lost.length, cachedBatches(cache)], [gone, held - gone + 1]);
  });

  it('gives way for many at the same time without overstepping its limit', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open({ limitBytes: 40_000 });
    for (let number = 1; (await cache.put(sized('Metadata', number))).outcome === 'stored'; number += 1);
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, at) => cache.put(sized(at % 2 === 0 ? 'Event' : 'Alert', at))));
    const stored = outcomes.filter(({ outcome }) => outcome === 'stored').length;
    assert.ok(stored > 5 && stored < 30, `${stored} stored`);
    assert.ok(cache.stats().usedBytes <= 40_000);
    assert.equal(missing(cache), 0);
  });

  it('never drops what is in flight upstream, nor data of another workspace', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open({ limitBytes: 20_000 });
    const answers: (() => void)[] = [];
    cache.consume((batches) => new Promise((resolve) => answers.push(() => resolve(batches.map(() => DELIVERED)))));
    for (let number = 1; number <= 3; number += 1) assert.equal((await cache.put(sized('Performance', number))).outcome, 'stored');
    await eventually('three are in flight', () => answers.length === 3);
    for (let number = 1; (await cache.put(sized('Performance', number, { workspaceId: OTHER }))).outcome === 'stored'; number += 1);
    const refused = await cache.put(sized('Alert', 60));
    assert.equal(refused.outcome, 'full');
    assert.match(refused.outcome === 'full' ? refused.message : '', /nothing of a lower kind of workspace .* can give way/);
    assert.deepEqual(rig.lost, []);
    await eventually('everything is delivered', () => {
      for (const answer of answers.splice(0)) answer();
      return cachedBatches(cache) === 0;
    });
    assert.equal(missing(cache), 0);
  });

  it('enters what cannot be read back from the disk, and tells the workspace', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open();
    for (const number of [1, 2]) await cache.put(sized('State', number));
    const folder = join(rig.folder, 'cache', 'segments', WORKSPACE);
    const [name = ''] = readdirSync(folder).filter((file) => file.endsWith('.segment'));
    const bytes = readFileSync(join(folder, name));
    bytes.writeUInt8(bytes.readUInt8(1_000) ^ 1, 1_000);
    writeFileSync(join(folder, name), bytes);
    const { others, records } = reportsIn(await drain(rig, cache));
    const { reason, dataType, agentId, batches, uncountedBatches, bytes: lostBytes } = cache.losses.list()[0] ?? assert.fail('no entry');
    assert.deepEqual([reason, dataType, agentId, batches, uncountedBatches, lostBytes], ['unreadable', 'State_BLOB', AGENTS[1], 1, 1, BODY_BYTES]);
    assert.deepEqual([others.length, records.length, droppedOf(cache, 'State'), missing(cache)], [1, 1, 1, 0]);
    assert.match(records[0]?.Detail ?? '', /those of 1 batches that could not be counted.*could not be read back from the disk/);
  });

  it('follows the order of its options, and the limit of one workspace', async () => {
    await using rig = await fullCacheRig();
    const cache = await rig.open({ limitPerWorkspaceBytes: 15_000, dropOrder: [...KINDS].reverse() });
    assert.equal((await cache.put(sized('Alert', 1))).outcome, 'stored');
    for (let number = 2; rig.lost.length === 0; number += 1) assert.equal((await cache.put(sized('Performance', number))).outcome, 'stored');
    assert.deepEqual(
      rig.lost.map(({ kind }) => kind),
      ['Alert'],
    );
  });

  it('loses nothing without an entry and enters nothing twice, wherever it is killed', async () => {
    await using rig = await fullCacheRig();
    const copies: { readonly name: string; readonly entered: number }[] = [];
    const copy = (name: string): void => {
      cpSync(join(rig.folder, 'cache'), join(rig.folder, name), { recursive: true });
      copies.push({ name, entered: rig.lost.length });
    };
    const cache = await rig.open({ limitBytes: 20_000 });
    const stored: string[] = [];
    for (let number = 1; ; number += 1) {
      const batch = sized('Performance', number);
      if ((await cache.put(batch)).outcome !== 'stored') break;
      stored.push(textOf(batch));
    }
    copy('before the entry');
    rig.onLoss = () => copy(`entered, not dropped ${rig.lost.length}`);
    assert.equal((await cache.put(sized('Event', 50))).outcome, 'stored');
    rig.onLoss = () => {};
    copy('dropped, not noted');
    rig.clock.advance(200);
    await cache.close(0);
    copy('noted');
    assert.ok(copies.length >= 4);

    for (const { name, entered } of copies) {
      await rig.redis.flushall();
      const again = await rig.open({ folder: join(rig.folder, name) });
      const ofLedger = again.losses.list().reduce((sum, { batches }) => sum + batches, 0);
      assert.equal(ofLedger, entered, name);
      const { others, records } = reportsIn(await drain(rig, again));
      const perf = others.filter(({ kind }) => kind === 'Performance').map(textOf);
      assert.deepEqual(perf.sort(), stored.slice(entered).sort(), `${name}: what is in the ledger does not arrive, everything else does`);
      assert.equal(records.length, again.losses.list().length, name);
      assert.equal(missing(again), 0, name);
      await again.close(0);

      await rig.redis.flushall();
      const third = await rig.open({ folder: join(rig.folder, name) });
      assert.deepEqual(reportsIn(await drain(rig, third)), { others: [], records: [], ids: [] }, `${name}: told once`);
      await third.close(0);
    }
  });
});
