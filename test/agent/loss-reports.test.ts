import assert from 'node:assert/strict';
import { randomBytes, randomFillSync } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { type LossNotes, openLossNotes } from '../../src/agent/loss-notes.ts';
import { noteLosses, startLossReports } from '../../src/agent/loss-reports.ts';
import { type AgentQueue, type Lane, openQueue } from '../../src/agent/queue.ts';
import { createQueueCounts, type QueueCounts } from '../../src/agent/queue-counts.ts';
import { silentLogger } from '../../src/logger.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import type { UploadedBody } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

const START_MS = Date.UTC(2026, 10, 23, 8);
const MINUTE_MS = 60_000;

interface Life {
  readonly clock: ManualClock;
  readonly counts: QueueCounts;
  readonly notes: LossNotes;
  readonly queue: AgentQueue & Lane;
  end(): Promise<void>;
}

/** One life of an agent's queue: four batches of a record fit. */
async function live(folder: string, clock: ManualClock = createManualClock(START_MS)): Promise<Life> {
  const counts = createQueueCounts(false);
  const notes = await openLossNotes(join(folder, 'losses.json'), silentLogger);
  const watched = noteLosses(counts, notes, clock);
  const queue = await openQueue({ folder: join(folder, 'queue'), limitBytes: 16 * 1024, counts: watched, clock, random: randomFillSync, log: silentLogger });
  const acknowledged = (): number => Object.values(counts.figures().acknowledged).reduce((sum, one) => sum + one, 0);
  const endReports = startLossReports({ notes, put: queue.put, acknowledged, hostName: 'web01', clock, log: silentLogger });
  return {
    clock,
    counts,
    notes,
    queue: { ...queue, ...queue.lane('relay', () => true) },
    async end() {
      await endReports();
      await notes.close();
    },
  };
}

async function put({ queue }: Life, dataType: string, batches: number): Promise<void> {
  for (let at = 0; at < batches; at += 1) await queue.put({ dataType, solution: '', records: [{ text: randomBytes(8).toString('hex') }] });
}

async function sendOne({ queue }: Life): Promise<UploadedBody | undefined> {
  const batch = queue.take();
  const body = batch && (await queue.read(batch));
  if (!batch || !body) return undefined;
  await queue.acknowledge(batch);
  return JSON.parse(inflateSync(body).toString()) as UploadedBody;
}

/** A minute passes; resolves when the report that was due is queued, or is not. */
async function aMinute(life: Life): Promise<void> {
  life.clock.advance(MINUTE_MS);
  await eventually('the look is over', () => life.clock.waits().length === 1);
}

async function sendAll(life: Life): Promise<UploadedBody[]> {
  const sent: UploadedBody[] = [];
  for (let body = await sendOne(life); body; body = await sendOne(life)) sent.push(body);
  return sent;
}

describe('what the queue gave up', () => {
  it('is reported once, as an Operation record, when the agent can send again', async () => {
    await using folder = await makeTestFolder();
    const life = await live(folder.path);
    await put(life, 'LINUX_PERF_BLOB', 5);
    life.clock.advance(1_000);
    await put(life, 'LINUX_PERF_BLOB', 2);
    await aMinute(life);
    assert.equal(life.counts.figures().collected['OPERATION_BLOB'], undefined, 'nothing was sent yet');
    await sendAll(life);
    await aMinute(life);
    const [report, ...others] = await sendAll(life);
    assert.deepEqual(others, []);
    assert.deepEqual([report?.DataType, report?.IPName], ['OPERATION_BLOB', 'LogManagement']);
    assert.deepEqual(report?.DataItems, [
      {
        Timestamp: '2026-11-23T08:02:01.000Z',
        OperationStatus: 'Warning',
        Computer: 'web01',
        Detail:
          "3 batches of Performance data, LINUX_PERF_BLOB, were dropped, because the agent's queue was full; from 2026-11-23T08:00:00.000Z to 2026-11-23T08:00:01.000Z.",
        Category: 'Agent',
        Solution: 'LogManagement',
      },
    ]);
    await put(life, 'LINUX_PERF_BLOB', 1);
    await sendAll(life);
    await aMinute(life);
    assert.deepEqual(await sendAll(life), []);
    await life.end();
  });

  it('is not forgotten by a restart, and joins what is given up later', async () => {
    await using folder = await makeTestFolder();
    const first = await live(folder.path);
    await put(first, 'LINUX_PERF_BLOB', 6);
    await first.end();
    const [file = ''] = (await readdir(join(folder.path, 'queue'))).sort();
    await writeFile(join(folder.path, 'queue', file), 'damaged');
    const second = await live(folder.path, first.clock);
    await sendOne(second);
    await sendAll(second);
    await aMinute(second);
    const [report] = await sendAll(second);
    assert.deepEqual(
      report?.DataItems.map((item) => String(item['Detail']).replace(/;.*/, '')),
      [
        "2 batches of Performance data, LINUX_PERF_BLOB, were dropped, because the agent's queue was full",
        '1 batches of Performance data, LINUX_PERF_BLOB, were put aside, because their files were damaged',
      ],
    );
    await second.end();
    assert.deepEqual(JSON.parse(await readFile(join(folder.path, 'losses.json'), 'utf8')), []);
  });

  it('stays noted when the report cannot be queued, and a report that is refused is not reported again', async () => {
    await using folder = await makeTestFolder();
    const life = await live(folder.path);
    life.notes.add({ fate: 'dropped', dataType: 'LINUX_PERF_BLOB', batches: 2, firstAt: START_MS, lastAt: START_MS });
    await assert.rejects(
      life.notes.handOver(() => Promise.reject(new Error('no space left'))),
      /no space left/,
    );
    await put(life, 'LINUX_PERF_BLOB', 1);
    await sendAll(life);
    await aMinute(life);
    const batch = life.queue.take();
    assert.equal(batch?.dataType, 'OPERATION_BLOB');
    await life.queue.refuse(batch);
    assert.equal(life.notes.isEmpty(), true);
    assert.deepEqual(life.counts.figures().refused, { OPERATION_BLOB: 1 });
    await life.end();
  });

  it('begins anew with a warning when its file is damaged', async () => {
    await using folder = await makeTestFolder();
    await writeFile(join(folder.path, 'losses.json'), '{"half');
    const notes = await openLossNotes(join(folder.path, 'losses.json'), silentLogger);
    assert.equal(notes.isEmpty(), true);
  });
});
