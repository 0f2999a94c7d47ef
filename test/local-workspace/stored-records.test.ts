import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { deflateSync, gzipSync } from 'node:zlib';
import type { Clock } from '../../src/clock.ts';
import type { HostedWorkspace } from '../../src/local-workspace/hosted-workspace.ts';
import { MAX_QUERY_RECORDS, type StoredRecord } from '../../src/local-workspace/intake/stored-records.ts';
import { openAlone, temporaryFolder, uploadOf } from './rig.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 23, 8);
/** Stands still, and nothing that waits falls due. */
const STANDING: Clock = { now: () => START, after: () => () => {} };

/** A workspace that took three records, a minute apart. */
async function filled(t: TestContext): Promise<HostedWorkspace> {
  let now = START;
  const workspace = await openAlone(t, { dataFolder: await temporaryFolder(t), clock: { ...STANDING, now: () => now } });
  for (let at = 0; at < 3; at += 1) {
    await workspace.intake.take(uploadOf(at === 1 ? 'Perf' : 'Syslog', [{ n: at, text: `number ${at}` }]));
    now += MINUTE_MS;
  }
  return workspace;
}

function numbers(records: readonly StoredRecord[]): unknown[] {
  return records.map(({ data }) => (data as { n: number }).n);
}

test('records are found by data type, time, text and place', async (t) => {
  const { records } = await filled(t);
  const found = async (filter: Parameters<typeof records.newest>[0]): Promise<unknown[]> => numbers(await records.newest(filter));
  assert.deepEqual(await found({ limit: 2 }), [1, 2]);
  assert.deepEqual(await found({ limit: 10, dataType: 'syslog' }), [0, 2]);
  assert.deepEqual(await found({ limit: 10, since: '2026-11-23T08:01:00.000Z' }), [1, 2]);
  assert.deepEqual(await found({ limit: 10, where: 'number 0' }), [0]);
  assert.deepEqual(await found({ limit: 10, where: '%' }), []);
  assert.deepEqual(numbers(await records.following({ seq: 1, row: 0 }, { limit: 1 })), [1]);
  assert.deepEqual(numbers(await records.following({ seq: 1, row: 0 }, { limit: 10 })), [1, 2]);
  assert.deepEqual(await records.following({ seq: 3, row: 0 }, { limit: 10 }), []);
});

test('what is in the tables already and what came a moment ago are found alike, in the order in which they came', async (t) => {
  const workspace = await filled(t);
  assert.deepEqual(numbers(await workspace.records.newest({ limit: 10 })), [0, 1, 2]);
  await workspace.intake.take(uploadOf('Perf', [{ n: 3 }, { n: 4 }]));
  const records = await workspace.records.newest({ limit: 10 });
  assert.deepEqual(numbers(records), [0, 1, 2, 3, 4]);
  assert.deepEqual(
    records.map(({ seq, row }) => [seq, row]),
    [
      [1, 0],
      [2, 0],
      [3, 0],
      [4, 0],
      [4, 1],
    ],
  );
});

test('a record has its own time as long as that is at most two days before its receipt and one after, and the time of receipt otherwise', async (t) => {
  const { intake, records } = await openAlone(t, { dataFolder: await temporaryFolder(t), clock: STANDING });
  const received = new Date(START).toISOString();
  const cases: readonly [told: unknown, kept: string][] = [
    ...[-2 * DAY_MS, -1, 0, 1, DAY_MS].map((ms): [string, string] => [new Date(START + ms).toISOString(), new Date(START + ms).toISOString()]),
    ...[-2 * DAY_MS - 1, DAY_MS + 1].map((ms): [string, string] => [new Date(START + ms).toISOString(), received]),
    ['2026-11-23T07:59:58Z', '2026-11-23T07:59:58.000Z'],
    ['nonsense', received],
    [undefined, received],
  ];
  await intake.take(
    uploadOf(
      'Syslog',
      cases.map(([Timestamp]) => ({ Timestamp })),
    ),
  );
  const found = await records.newest({ limit: 20 });
  assert.deepEqual(
    found.map(({ timeGenerated, receivedAt, data }) => [timeGenerated, receivedAt, data]),
    cases.map(([Timestamp, kept]) => [kept, received, Timestamp === undefined ? {} : { Timestamp }]),
  );
});

test('a body is kept alike in each encoding, with one item or many', async (t) => {
  const { intake, records } = await openAlone(t, { dataFolder: await temporaryFolder(t), clock: STANDING });
  const one = { EventTime: '2026-11-23T07:00:00.000Z', text: 'größer', flag: false, size: -2.5, inner: { list: [1, 'two', null] } };
  const bodies = [one, [one, one]].map((DataItems) => JSON.stringify({ DataType: 'X', IPName: 'Y', DataItems }));
  for (const body of bodies) {
    await intake.take(uploadOf('X', [], { body: Buffer.from(body) }));
    await intake.take(uploadOf('X', [], { body: deflateSync(body), encoding: 'deflate' }));
    await intake.take(uploadOf('X', [], { body: gzipSync(body), encoding: 'gzip' }));
  }
  const found = await records.newest({ limit: 20 });
  assert.equal(found.length, 9);
  for (const { data, timeGenerated } of found) assert.deepEqual([timeGenerated, data], [one.EventTime, one]);
});

test('in its own process a workspace gives back as many records as are asked for', async (t) => {
  const { intake, records } = await openAlone(t, { dataFolder: await temporaryFolder(t) });
  const count = MAX_QUERY_RECORDS + 5;
  await intake.take(
    uploadOf(
      'Syslog',
      Array.from({ length: count }, (_, n) => ({ n })),
    ),
  );
  assert.deepEqual(
    numbers(await records.newest({ limit: 2 * count })),
    Array.from({ length: count }, (_, n) => n),
  );
});

test('the counters that an agent sent together are records of their own', async (t) => {
  const { intake, records } = await openAlone(t, { dataFolder: await temporaryFolder(t), clock: STANDING });
  const said = { Timestamp: '2026-11-23T07:59:00.000Z', Host: 'web01', ObjectName: 'cpu', InstanceName: '0' };
  const counters = [
    { CounterName: 'idle', Value: 0.5 },
    { CounterName: 'user', Value: '12.5' },
  ];
  await intake.take(uploadOf('LINUX_PERF_BLOB', [{ ...said, Collections: counters }, said]));
  const found = await records.newest({ limit: 10 });
  assert.deepEqual(
    found.map(({ seq, row, timeGenerated, data }) => [seq, row, timeGenerated, data]),
    [
      [1, 0, said.Timestamp, { ...said, CounterName: 'idle', CounterValue: 0.5, CounterPath: '\\\\web01\\cpu(0)\\idle' }],
      [1, 1, said.Timestamp, { ...said, CounterName: 'user', CounterValue: 12.5, CounterPath: '\\\\web01\\cpu(0)\\user' }],
      [1, 2, said.Timestamp, said],
    ],
  );
});
