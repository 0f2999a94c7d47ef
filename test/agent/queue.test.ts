import assert from 'node:assert/strict';
import { randomBytes, randomFillSync } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { type AgentQueue, openQueue } from '../../src/agent/queue.ts';
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

async function open(folder: string, limitBytes = 100 * BLOCK): Promise<{ queue: AgentQueue; counts: QueueCounts }> {
  const counts = createQueueCounts(true);
  return { queue: await openQueue({ folder, limitBytes, counts, clock: systemClock, random: randomFillSync, log: silentLogger }), counts };
}

async function put(queue: AgentQueue, ...dataTypes: string[]): Promise<void> {
  for (const dataType of dataTypes) await queue.put({ dataType, solution: 'LogManagement', records: [{ text: dataType }] });
}

/** Takes and acknowledges everything; the data types in the order of their turns. */
async function drain(queue: AgentQueue): Promise<string[]> {
  const order: string[] = [];
  for (let batch = queue.take(); batch; batch = queue.take()) {
    order.push(batch.dataType);
    await queue.acknowledge(batch);
  }
  return order;
}

function taken(queue: AgentQueue): QueuedBatch {
  const batch = queue.take();
  assert.ok(batch);
  return batch;
}

describe("the agent's queue", () => {
  it('gives batches back oldest first, each with the deflated body of the protocol', async () => {
    await using folder = await makeTestFolder();
    const { queue } = await open(folder.path);
    await put(queue, EVENT, PERFORMANCE);
    const body = await queue.read(taken(queue));
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
});
