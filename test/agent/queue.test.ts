import assert from 'node:assert/strict';
import { randomBytes, randomFillSync } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { type AgentQueue, type Lane, openQueue } from '../../src/agent/queue.ts';
import { createQueueCounts, type QueueCounts } from '../../src/agent/queue-counts.ts';
import type { QueuedBatch } from '../../src/agent/queue-index.ts';
import { systemClock } from '../../src/clock.ts';
import { silentLogger } from '../../src/logger.ts';
import { makeTestFolder } from './test-folder.ts';

const BLOCK = 4096;
const PERFORMANCE = 'LINUX_PERF_BLOB';
const EVENT = 'LINUX_SYSLOGS_BLOB';
const ALERT = 'LINUX_NAGIOSALERTS_BLOB';
const HEARTBEAT = 'HEALTH_ASSESSMENT_BLOB';

type TestQueue = AgentQueue & Lane;

/** A queue, and one lane for all of it. */
async function open(folder: string, limitBytes = 100 * BLOCK): Promise<{ queue: TestQueue; counts: QueueCounts }> {
  const counts = createQueueCounts(true);
  const queue = await openQueue({ folder, limitBytes, counts, clock: systemClock, random: randomFillSync, log: silentLogger });
  return { queue: { ...queue, ...queue.lane('relay', () => true) }, counts };
}

async function put(queue: TestQueue, ...dataTypes: string[]): Promise<void> {
  for (const dataType of dataTypes) await queue.put({ dataType, solution: 'LogManagement', records: [{ text: dataType }] });
}

/** Takes and acknowledges everything; the data types in the order of their turns. */
async function drain(queue: TestQueue): Promise<string[]> {
  const order: string[] = [];
  for (let batch = queue.take(); batch; batch = queue.take()) {
    order.push(batch.dataType);
    await queue.acknowledge(batch);
  }
  return order;
}

function taken(queue: TestQueue): QueuedBatch {
  const batch = queue.take();
  assert.ok(batch);
  return batch;
}

describe("the agent's queue", () => {
  it('gives batches back oldest first, each with the deflated body of the protocol', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    await put(queue, EVENT, PERFORMANCE);
    const first = taken(queue);
    const body = await queue.read(first);
    queue.putBack(first);
    assert.deepEqual(JSON.parse(inflateSync(body ?? '').toString()), { DataType: EVENT, IPName: 'LogManagement', DataItems: [{ text: EVENT }] });
    assert.deepEqual(await drain(queue), [EVENT, PERFORMANCE]);
    assert.equal(queue.usedBytes(), 0);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it('drops performance first, then by kind, the oldest of a kind first, and never what is more important than the newcomer', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path, 3 * BLOCK);
    await put(queue, EVENT, PERFORMANCE, PERFORMANCE);
    await put(queue, ALERT, ALERT);
    assert.deepEqual(counts.figures().dropped, { [PERFORMANCE]: 2 });
    await put(queue, PERFORMANCE);
    assert.deepEqual(counts.figures().dropped, { [PERFORMANCE]: 3 });
    await put(queue, EVENT);
    assert.deepEqual(counts.figures().dropped, { [PERFORMANCE]: 3, [EVENT]: 1 });
    assert.deepEqual(await drain(queue), [ALERT, ALERT, EVENT]);
  });

  it('accounts for every batch it was given', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path, 4 * BLOCK);
    await put(queue, PERFORMANCE, PERFORMANCE, PERFORMANCE, PERFORMANCE, PERFORMANCE, PERFORMANCE);
    await queue.acknowledge(taken(queue));
    await queue.refuse(taken(queue));
    const of = (part: Readonly<Record<string, number>>): number => part[PERFORMANCE] ?? 0;
    const { collected, queued, acknowledged, dropped, refused } = counts.figures();
    assert.deepEqual([of(collected), of(queued), of(acknowledged), of(dropped), of(refused)], [6, 2, 1, 2, 1]);
  });

  it('drops nothing for a batch that would not fit anyway', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path, 2 * BLOCK);
    await put(queue, PERFORMANCE, PERFORMANCE);
    await queue.put({ dataType: EVENT, solution: '', records: [{ text: randomBytes(3 * BLOCK).toString('base64') }] });
    assert.deepEqual(counts.figures().dropped, { [EVENT]: 1 });
    assert.deepEqual(await drain(queue), [PERFORMANCE, PERFORMANCE]);
  });

  it('does not drop the batch that is being sent', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path, 2 * BLOCK);
    await put(queue, PERFORMANCE, PERFORMANCE);
    const sending = taken(queue);
    await put(queue, PERFORMANCE);
    assert.ok(await queue.read(sending));
  });

  it('keeps order, bytes and ids over a restart, and says that what waited may be a repeat', async () => {
    await using folder = await makeTestFolder();
    const before = await open(folder.path);
    await put(before.queue, EVENT, PERFORMANCE);
    const first = taken(before.queue);
    const after = await open(folder.path);
    const again = taken(after.queue);
    assert.equal(again.id, first.id);
    assert.equal(first.attempts, 0);
    assert.equal(again.attempts, 1);
    assert.equal(after.queue.usedBytes(), before.queue.usedBytes());
    after.queue.putBack(again);
    await put(after.queue, ALERT);
    assert.deepEqual(await drain(after.queue), [EVENT, PERFORMANCE, ALERT]);
  });

  it('puts a damaged file and one that is no batch aside, and goes on with the rest', async () => {
    await using folder = await makeTestFolder();
    const before = await open(folder.path);
    await put(before.queue, EVENT, PERFORMANCE);
    const [damaged = ''] = (await readdir(folder.path)).sort();
    const content = await readFile(join(folder.path, damaged));
    await writeFile(join(folder.path, damaged), content.subarray(0, -1));
    await writeFile(join(folder.path, 'stray.txt'), 'stray');
    await writeFile(join(folder.path, '.draft'), 'half a batch');

    const { queue, counts } = await open(folder.path);
    assert.equal(await queue.read(taken(queue)), undefined);
    assert.deepEqual(await drain(queue), [PERFORMANCE]);
    assert.deepEqual(counts.figures().unreadable, { unknown: 1, [EVENT]: 1 });
    assert.deepEqual((await readdir(folder.path)).sort(), ['unreadable']);
    assert.deepEqual((await readdir(join(folder.path, 'unreadable'))).sort(), [damaged, 'stray.txt']);
  });

  it('says so when its disk cannot be written, and gives the room back', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(join(folder.path, 'queue'));
    await rm(join(folder.path, 'queue'), { recursive: true });
    await assert.rejects(put(queue, EVENT), { code: 'relay.agent.queue-unwritable' });
    assert.equal(queue.usedBytes(), 0);
    assert.deepEqual(counts.figures().collected, {});
  });

  it('moves a refused batch into the folder refused', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path);
    await put(queue, EVENT);
    await queue.refuse(taken(queue));
    assert.equal((await readdir(join(folder.path, 'refused'))).length, 1);
    assert.deepEqual(counts.figures().refused, { [EVENT]: 1 });
    assert.equal(queue.take(), undefined);
  });

  it('lets a batch that fails again and again step behind the others', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    await put(queue, EVENT, PERFORMANCE);
    for (let tries = 0; tries < 8; tries += 1) {
      const batch = taken(queue);
      assert.equal(batch.attempts, tries);
      queue.putBack(batch);
    }
    assert.deepEqual(await drain(queue), [PERFORMANCE, EVENT]);
  });

  it('gives each eighth turn to the newest heartbeat, however long the queue is', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    await put(queue, ...Array<string>(10).fill(EVENT), HEARTBEAT);
    const order = await drain(queue);
    assert.equal(order.indexOf(HEARTBEAT), 7);
    assert.equal(order.length, 11);
  });

  it('splits what is too much for one batch into several, none larger than 1000 records or 1 MiB', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    await queue.put({ dataType: EVENT, solution: 'LogManagement', records: Array.from({ length: 1_500 }, (_, n) => ({ n })) });
    await queue.put({ dataType: ALERT, solution: 'LogManagement', records: Array.from({ length: 3 }, () => ({ text: 'x'.repeat(400_000) })) });
    const sizes: number[] = [];
    const seen: unknown[] = [];
    for (let batch = queue.take(); batch; batch = queue.take()) {
      const text = inflateSync((await queue.read(batch)) ?? '');
      assert.ok(text.length <= 1024 * 1024);
      const { DataItems } = JSON.parse(text.toString()) as { DataItems: unknown[] };
      sizes.push(DataItems.length);
      seen.push(...DataItems);
      await queue.acknowledge(batch);
    }
    assert.deepEqual(sizes, [1_000, 500, 2, 1]);
    assert.equal(seen.length, 1_503);
  });

  it('gives each route its own lane, and no batch to two hands', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path);
    const direct = new Set([PERFORMANCE]);
    const lanes = {
      relay: queue.lane('relay', ({ dataType }) => !direct.has(dataType)),
      direct: queue.lane('direct', ({ dataType }) => direct.has(dataType)),
    };
    await put(queue, PERFORMANCE, EVENT, PERFORMANCE, EVENT);
    const [straight, carried] = [lanes.direct.take(), lanes.relay.take()];
    assert.deepEqual([straight?.dataType, carried?.dataType], [PERFORMANCE, EVENT]);
    assert.ok(straight && carried);
    // From now on everything goes by the relay; what is in hand stays there until it is settled.
    direct.clear();
    const next = lanes.relay.take();
    assert.ok(next && next.id !== straight.id && next.dataType === PERFORMANCE);
    assert.equal(lanes.direct.take(), undefined);
    await lanes.relay.acknowledge(carried);
    await lanes.relay.acknowledge(next);
    lanes.direct.putBack(straight);
    assert.deepEqual(await drain({ ...queue, ...lanes.relay }), [PERFORMANCE, EVENT]);
    assert.deepEqual(counts.acknowledgedBy(), { relay: { [PERFORMANCE]: 2, [EVENT]: 2 }, direct: {} });
  });

  it('lets the newest heartbeat through a backlog, whatever goes by the other lane meanwhile', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    const direct = queue.lane('direct', ({ dataType }) => dataType === PERFORMANCE);
    const relay = queue.lane('relay', ({ dataType }) => dataType !== PERFORMANCE);
    await put(queue, ...Array.from({ length: 10 }, () => EVENT), ...Array.from({ length: 10 }, () => PERFORMANCE), HEARTBEAT);
    const order: (string | undefined)[] = [];
    for (let turn = 0; turn < 8; turn += 1) {
      direct.take();
      order.push(relay.take()?.dataType);
    }
    assert.deepEqual(order, [...Array.from({ length: 7 }, () => EVENT), HEARTBEAT]);
  });

  it('takes another limit while it runs', async () => {
    await using folder = await makeTestFolder();
    const { queue, counts } = await open(folder.path, 2 * BLOCK);
    queue.limit(3 * BLOCK);
    await put(queue, EVENT, EVENT, EVENT);
    assert.deepEqual(counts.figures().dropped, {});
    queue.limit(BLOCK);
    assert.equal(queue.usedBytes(), 3 * BLOCK);
    await put(queue, EVENT);
    assert.deepEqual(counts.figures().dropped, { [EVENT]: 3 });
  });
});
