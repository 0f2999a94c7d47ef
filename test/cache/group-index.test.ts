import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Redis } from 'ioredis';
import { createGroupIndex, type GroupIndex } from '../../src/cache/group-index.ts';
import { connectRedis, type RedisAddress } from '../../src/cache/redis.ts';
import { type RedisServer, startRedisServer } from '../../src/demo/redis-server.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { groupIndexContract, groupOf, takeAll } from '../contracts/group-index-contract.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { START_MS } from './batches.ts';
import { createMemoryIndex } from './memory-index.ts';

describe('the group index in memory', () => groupIndexContract(() => Promise.resolve({ index: createMemoryIndex(() => START_MS), now: () => START_MS })));

describe('the group index in Redis', () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let server: RedisServer;
  let redis: Redis;
  let address: RedisAddress;
  const indexes: GroupIndex[] = [];

  before(async () => {
    folder = await temporaryFolder();
    server = await startRedisServer(folder.path);
    address = { socket: join(folder.path, 'redis.sock'), host: '', port: 0, database: 0 };
    redis = await connectRedis(address, 10_000, () => {});
  });
  after(async () => {
    await Promise.all(indexes.map((index) => index.close()));
    redis.disconnect();
    await server.stop('SIGKILL');
    await folder[Symbol.asyncDispose]();
  });

  // Each workspace has an index of its own.
  const newIndex = (): GroupIndex => {
    const index = createGroupIndex(parseWorkspaceId(randomUUID()), redis, address, silentLogger);
    indexes.push(index);
    return index;
  };

  groupIndexContract(() => Promise.resolve({ index: newIndex(), now: () => Date.now() }));

  it('works at once after it was made', async () => {
    assert.equal(await newIndex().take(), undefined);
  });

  it('keeps workspaces apart', async () => {
    const [one, other] = [newIndex(), newIndex()];
    await one.add(groupOf(1));
    assert.deepEqual(await takeAll(other), []);
    assert.deepEqual(await takeAll(one), [1]);
  });

  it('leaves nothing but its counters in Redis when everything is finished', async () => {
    const workspaceId = parseWorkspaceId(randomUUID());
    const index = createGroupIndex(workspaceId, redis, address, silentLogger);
    indexes.push(index);
    for (let number = 0; number < 300; number += 1) await index.add(groupOf(number));
    for (let taken = await index.take(); taken; taken = await index.take()) await index.finish(taken);
    const keys = await redis.keys(`relay:{${workspaceId}}:*`);
    assert.deepEqual(
      keys.filter((key) => key.includes('Event')),
      [],
    );
    const events = await redis.xlen(`relay:{${workspaceId}}:groups:events`);
    assert.ok(events < 1_000, `${events} events are kept`);
  });

  it('works again, with what it held, after Redis was killed and started again', async () => {
    const index = newIndex();
    await index.addAll([groupOf(1), groupOf(2), groupOf(3)]);
    const taken = await index.take();
    assert.ok(taken);
    await server.stop('SIGKILL');
    const startedAt = performance.now();
    const calls = await Promise.allSettled([
      index.add(groupOf(4)),
      index.take(),
      index.finish(taken),
      index.putBack(taken),
      index.delay(taken, 0),
      index.ids(),
    ]);
    assert.ok(performance.now() - startedAt < 6_000);
    assert.deepEqual(new Set(calls.map(({ status }) => status)), new Set(['rejected']));
    server = await startRedisServer(folder.path);
    await eventually('the index answers again', () =>
      index.putBack(taken).then(
        () => true,
        () => false,
      ),
    );
    const again = await eventually('groups can be taken again', () => index.take().catch(() => undefined));
    assert.deepEqual(
      [again.id, ...(await takeAll(index)).map((number) => groupOf(number).id)],
      [1, 2, 3].map((number) => groupOf(number).id),
    );
  });

  it('fails within its time limit when Redis goes away before its connections are made', async () => {
    const index = newIndex();
    process.kill(server.pid, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      await assert.rejects(index.take());
      assert.ok(performance.now() - startedAt < 7_000, 'the time limit is five seconds');
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await eventually('the index answers again', () =>
      index.take().then(
        () => true,
        () => false,
      ),
    );
  });

  it('fails within its time limit while Redis does not answer, and works again when it does', async () => {
    const index = newIndex();
    assert.equal(await index.take(), undefined);
    await index.add(groupOf(1));
    process.kill(server.pid, 'SIGSTOP');
    try {
      const startedAt = performance.now();
      const calls = await Promise.allSettled([index.add(groupOf(2)), index.take(), index.takenIds()]);
      assert.ok(performance.now() - startedAt < 7_000, 'the time limit is five seconds');
      assert.deepEqual(new Set(calls.map(({ status }) => status)), new Set(['rejected']));
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    // Redis does what it was asked, although nobody hears the answer.
    await eventually('the group is taken by nobody', async () => (await index.takenIds().catch(() => undefined))?.includes(groupOf(1).id));
    await index.release(groupOf(1).id);
    assert.deepEqual(await takeAll(index), [1, 2]);
  });
});
