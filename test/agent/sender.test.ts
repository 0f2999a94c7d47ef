import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { pino } from 'pino';
import { readEnrolment } from '../../src/agent/agent-folder.ts';
import { createConnection } from '../../src/agent/connection.ts';
import { enrolAgent } from '../../src/agent/enrol.ts';
import { type AgentQueue, openQueue } from '../../src/agent/queue.ts';
import { createQueueCounts, type QueueCounts } from '../../src/agent/queue-counts.ts';
import { createSender } from '../../src/agent/sender.ts';
import { systemClock } from '../../src/clock.ts';
import type { Logger } from '../../src/logger.ts';
import { writeRefusal } from '../../src/oms-protocol/refusal-body.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { type FakeRelay, KEY, readUpload, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { eventually, makeTestFolder } from './test-folder.ts';

interface Stage extends AsyncDisposable {
  readonly relay: FakeRelay;
  readonly queue: AgentQueue;
  readonly counts: QueueCounts;
  readonly clock: ManualClock;
  readonly logged: { readonly level: number; readonly msg: string }[];
}

/** An enrolled agent's queue and sender before a small relay, on a clock turned by hand. Chance is nought. */
async function setStage(): Promise<Stage> {
  const folder = await makeTestFolder();
  const relay = await startFakeRelay();
  await enrolAgent({ folder: folder.path, relay: relay.address, workspaceId: WORKSPACE, key: KEY, trust: { root: relay.root }, clock: systemClock });
  const { settings, identity, root } = await readEnrolment(folder.path);
  const clock = createManualClock();
  const counts = createQueueCounts(true);
  const logged: Stage['logged'] = [];
  const log: Logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  let chance = 0;
  const random = (bytes: Uint8Array): void => {
    // Ids have to differ; jitter, which takes four bytes, is nought.
    chance += 1;
    bytes.fill(bytes.length === 4 ? 0 : chance);
  };
  const queue = await openQueue({ folder: `${folder.path}/queue`, limitBytes: 1024 * 1024, counts, clock, random, log });
  const connection = createConnection({ relay: settings.relay, root, identity });
  const sender = createSender({ queue: queue.lane('relay', () => true), connection, to: 'relay', clock, random, log });
  sender.start();
  return {
    relay,
    queue,
    counts,
    clock,
    logged,
    async [Symbol.asyncDispose]() {
      await Promise.all([sender.stop(), connection.close()]);
      await relay[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function put(stage: Stage, dataType = 'LINUX_SYSLOGS_BLOB'): Promise<void> {
  await stage.queue.put({ dataType, solution: 'LogManagement', records: [{ Message: 'hello' }] });
}

describe('the sender', () => {
  it('sends what the protocol asks for and says that it keeps its own queue', async () => {
    await using stage = await setStage();
    await put(stage);
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 1);
    const [upload] = stage.relay.uploads();
    assert.ok(upload);
    assert.deepEqual(readUpload(upload), { DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Message: 'hello' }] });
    assert.equal(upload.headers['content-encoding'], 'deflate');
    assert.equal(upload.headers['x-relay-own-queue'], 'true');
    assert.equal(upload.headers['x-ms-client-request-retry-count'], '0');
    assert.ok(stage.counts.acknowledgedIds().has(String(upload.headers['x-relay-batch-id']) as never));
    assert.deepEqual(stage.counts.figures().queued, { LINUX_SYSLOGS_BLOB: 0 });
  });

  it('waits as long as Retry-After asks, then sends the same batch as a repeat', async () => {
    await using stage = await setStage();
    stage.relay.answer = () => (stage.relay.uploads().length <= 2 ? { status: 503, headers: { 'retry-after': '90' } } : undefined);
    await put(stage);
    for (const uploads of [1, 2]) {
      await eventually(`wait ${uploads}`, () => stage.clock.waits().length === 1);
      assert.deepEqual(stage.clock.waits(), [90_000]);
      stage.clock.advance(89_999);
      // A new batch does not cut the wait short.
      await put(stage);
      assert.equal(stage.relay.uploads().length, uploads);
      stage.clock.advance(1);
    }
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 3);
    const first = stage.relay.uploads().slice(0, 3);
    assert.equal(new Set(first.map(({ headers }) => headers['x-relay-batch-id'])).size, 1);
    assert.equal(new Set(first.map(({ headers }) => headers['x-request-id'])).size, 3);
    assert.deepEqual(
      first.map(({ headers }) => headers['x-ms-client-request-retry-count']),
      ['0', '1', '2'],
    );
  });

  it('keeps its data and comes back when the relay says, while its workspace is held', async () => {
    await using stage = await setStage();
    const body = JSON.stringify({ error: { code: 'relay.cache.held', message: 'Workspace is out of reach. Come back in 720 s.' } });
    stage.relay.answer = () => (stage.relay.uploads().length <= 1 ? { status: 503, headers: { 'retry-after': '720' }, body } : undefined);
    await put(stage);
    await eventually('a wait', () => stage.clock.waits().length === 1);
    assert.deepEqual(stage.clock.waits(), [720_000]);
    assert.deepEqual(stage.counts.figures().queued, { LINUX_SYSLOGS_BLOB: 1 });
    assert.match(stage.logged.find(({ level }) => level === 40)?.msg ?? '', /503 relay\.cache\.held: Workspace is out of reach/);
    stage.clock.advance(720_000);
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 1);
    const [first, second] = stage.relay.uploads();
    assert.equal(second?.headers['x-relay-batch-id'], first?.headers['x-relay-batch-id']);
    assert.deepEqual(second?.body, first?.body);
  });

  it('waits longer and longer while the relay fails, and says so once', async () => {
    await using stage = await setStage();
    stage.relay.answer = () => (stage.relay.uploads().length <= 3 ? { status: 500 } : undefined);
    await put(stage);
    for (const waitMs of [1_000, 2_000, 4_000]) {
      await eventually(`wait of ${waitMs}`, () => stage.clock.waits()[0] === waitMs);
      stage.clock.advance(waitMs);
    }
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 1);
    assert.equal(stage.logged.filter(({ level }) => level === 40).length, 1);
    assert.equal(stage.logged.filter(({ msg }) => msg === 'the relay takes batches again').length, 1);
  });

  it('keeps its data and asks again after 30 s while it is not approved, and hands on what the relay says', async () => {
    await using stage = await setStage();
    const body = writeRefusal('AgentPending', 'This agent waits for approval.');
    stage.relay.answer = () => (stage.relay.uploads().length <= 2 ? { status: 403, body } : undefined);
    await put(stage);
    for (const uploads of [1, 2]) {
      await eventually(`upload ${uploads}`, () => stage.clock.waits()[0] === 30_000);
      stage.clock.advance(30_000);
    }
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 1);
    const warnings = stage.logged.filter(({ level }) => level === 40);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.msg ?? '', /403 AgentPending: This agent waits for approval\./);
  });

  it('puts aside what the relay will never take, and goes on with the rest', async () => {
    await using stage = await setStage();
    stage.relay.answer = ({ body }) => (body.length > 1_000 ? { status: 413, body: '{"error":{"code":"TooLarge","message":"Send less."}}' } : undefined);
    const large = randomBytes(5_000).toString('base64');
    await stage.queue.put({ dataType: 'LINUX_PERF_BLOB', solution: '', records: [{ large }] });
    await put(stage);
    await eventually('acknowledged', () => stage.counts.acknowledgedIds().size === 1);
    assert.deepEqual(stage.counts.figures().refused, { LINUX_PERF_BLOB: 1 });
    assert.match(stage.logged.find(({ level }) => level === 40)?.msg ?? '', /413 TooLarge: Send less\./);
  });

  it('keeps a batch whose connection broke', async () => {
    await using stage = await setStage();
    const { address } = stage.relay;
    await stage.relay[Symbol.asyncDispose]();
    await put(stage);
    await eventually('a wait', () => stage.clock.waits()[0] === 1_000);
    assert.deepEqual(stage.counts.figures().queued, { LINUX_SYSLOGS_BLOB: 1 });
    assert.match(stage.logged.find(({ level }) => level === 40)?.msg ?? '', new RegExp(`${address} did not answer`));
  });
});
