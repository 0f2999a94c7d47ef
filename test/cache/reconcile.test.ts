import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import { createGroupIndex, type GroupIndex } from '../../src/cache/group-index.ts';
import { type Reconciled, reconcile } from '../../src/cache/reconcile.ts';
import { connectRedis, type RedisAddress } from '../../src/cache/redis.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { type RedisServer, startRedisServer } from '../../src/demo/redis-server.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { groupOf, takeAll } from '../contracts/group-index-contract.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const FAR_MS = 3_600_000;

describe('reconcile', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: RedisServer;
  let redis: Redis;
  let address: RedisAddress;
  const indexes: GroupIndex[] = [];

  before(async () => {
    folder = await temporaryFolder();
    server = await startRedisServer(join(folder.path, 'redis'));
    address = { socket: join(folder.path, 'redis', 'redis.sock'), host: '', port: 0, database: 0 };
    redis = await connectRedis(address, 10_000, () => {});
  });
  after(async () => {
    await Promise.all(indexes.map((index) => index.close()));
    redis.disconnect();
    await server.stop('SIGKILL');
    await folder[Symbol.asyncDispose]();
  });

  const newIndex = (): GroupIndex => {
    const index = createGroupIndex(parseWorkspaceId(randomUUID()), redis, address, silentLogger);
    indexes.push(index);
    return index;
  };
  const idOf = (number: number): GroupId => groupOf(number).id;
  /** Reconciles the index with a store that holds these groups, and a process that works on those. */
  const agree = (index: GroupIndex, stored: readonly number[], inFlight: readonly number[] = []): Promise<Reconciled> =>
    reconcile({
      index,
      outstanding: () => stored.map(groupOf),
      has: (id) => stored.some((number) => idOf(number) === id),
      inFlight: () => new Set(inFlight.map(idOf)),
    });

  it('does nothing when all agrees, also with groups that are delayed or in flight', async () => {
    const index = newIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await index.take();
    const delayed = await index.take();
    assert.ok(delayed);
    await index.delay(delayed, Date.now() + FAR_MS);
    assert.deepEqual(await agree(index, [1, 2, 3], [1]), { restored: 0, removed: 0, released: 0 });
    assert.deepEqual(await takeAll(index), [3]);
  });

  it('gives every group an entry again, in order, when Redis was emptied', async () => {
    const index = newIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await redis.flushall();
    assert.deepEqual(await agree(index, [1, 2, 3]), { restored: 3, removed: 0, released: 0 });
    assert.deepEqual(await takeAll(index), [1, 2, 3]);
  });

  it('removes entries whose group is not stored, wherever they are', async () => {
    const index = newIndex();
    await index.addAll([1, 2, 3, 4].map(groupOf));
    await index.take();
    const delayed = await index.take();
    assert.ok(delayed);
    await index.delay(delayed, Date.now() + FAR_MS);
    const { removed } = await agree(index, [4]);
    assert.equal(removed, 3);
    assert.deepEqual(await index.ids(), [idOf(4)]);
    assert.deepEqual(await takeAll(index), [4]);
  });

  it('releases groups that a process took which is gone, and no others', async () => {
    const index = newIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    for (let taken = 0; taken < 3; taken += 1) await index.take();
    assert.deepEqual(await agree(index, [1, 2, 3], [2]), { restored: 0, removed: 0, released: 2 });
    assert.deepEqual((await takeAll(index)).sort(), [1, 3]);
  });

  it('makes the index whole again when Redis comes back with an older state', async () => {
    const index = newIndex();
    await index.addAll([1, 2, 3].map(groupOf));
    await server.stop('SIGTERM');
    await cp(join(folder.path, 'redis', 'appendonlydir'), join(folder.path, 'older'), { recursive: true });
    server = await startRedisServer(join(folder.path, 'redis'));
    const back = (): Promise<boolean> =>
      redis.ping().then(
        () => true,
        () => false,
      );
    await eventually('the connection is back', back);

    // 1 is delivered, 4 and 5 come; then Redis forgets all that.
    const taken = await eventually('groups can be taken again', () => index.take().catch(() => undefined));
    await index.finish(taken);
    await index.addAll([4, 5].map(groupOf));
    await server.stop('SIGKILL');
    await rm(join(folder.path, 'redis', 'appendonlydir'), { recursive: true });
    await cp(join(folder.path, 'older'), join(folder.path, 'redis', 'appendonlydir'), { recursive: true });
    server = await startRedisServer(join(folder.path, 'redis'));
    await eventually('the connection is back', back);
    assert.deepEqual(await agree(index, [2, 3, 4, 5]), { restored: 2, removed: 1, released: 0 });
    const first = await eventually('groups can be taken again', () => index.take().catch(() => undefined));
    assert.deepEqual([first.id, ...(await takeAll(index)).map(idOf)], [2, 3, 4, 5].map(idOf));
  });
});
