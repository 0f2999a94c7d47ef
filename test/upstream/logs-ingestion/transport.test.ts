import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Outcome } from '../../../src/upstream/logs-ingestion/answers.ts';
import { transform } from '../../../src/upstream/logs-ingestion/transform.ts';
import { custom, envelope } from './batches.ts';
import { BAD, createRig, DELIVERED, type Sent } from './rig.ts';

const signal = new AbortController().signal;
const RETRY: Outcome = { outcome: 'retry', scope: 'workspace', reason: 'HTTP 503' };
const numbers = (sent: readonly Sent[]): unknown[] => sent.flatMap(({ rows }) => rows.map(({ n }) => n));
const count = (from: number, to: number): { n: number }[] => Array.from({ length: to - from }, (_, at) => ({ n: from + at }));

test('batches of one stream share a request, whichever offer they came with', async () => {
  await using rig = createRig({ offersInFlight: 2 });
  const verdicts = await Promise.all([
    rig.transport.offer([envelope('LINUX_SYSLOGS_BLOB', count(0, 5)), envelope('LINUX_PERF_BLOB', count(5, 6))], signal),
    rig.transport.offer([envelope('LINUX_SYSLOGS_BLOB', count(6, 9))], signal),
  ]);
  assert.deepEqual(verdicts, [[DELIVERED, DELIVERED], [DELIVERED]]);
  assert.deepEqual(rig.sent.map(({ stream, rows }) => [stream, rows.length]).sort(), [
    ['Custom-Perf_CL', 1],
    ['Custom-Syslog_CL', 8],
  ]);
});

test('a large batch is split over requests that are full, each record once', async () => {
  await using rig = createRig();
  const records = count(0, 40_000).map((record) => ({ ...record, text: randomBytes(50).toString('hex') }));
  assert.deepEqual(await rig.transport.offer([envelope('A_CL', []), envelope('LINUX_SYSLOGS_BLOB', records)], signal).then((all) => all[1]), DELIVERED);
  assert.ok(rig.sent.length > 2);
  for (const { request } of rig.sent) assert.ok(request.body.length <= 1_044_480);
  for (const { request } of rig.sent.slice(0, -1)) assert.ok(request.body.length > 0.9 * 1_048_576, `${request.body.length}`);
  assert.deepEqual(
    numbers(rig.sent).toSorted((a, b) => Number(a) - Number(b)),
    records.map(({ n }) => n),
  );
});

test('what has no stream is parked with the remedy, the others go', async () => {
  await using rig = createRig({ streams: [{ source: 'linux_perf_blob', stream: 'none', plan: 'analytics' }] });
  const verdicts = await rig.transport.offer([envelope('STRANGE_BLOB', [{}]), envelope('LINUX_PERF_BLOB', [{}]), custom('App', '[{}]')], signal);
  const [strange, none, app] = verdicts;
  assert.ok(strange?.outcome === 'retry' && strange.scope === 'batch');
  assert.match(strange.reason, /STRANGE_BLOB has no stream: name one in ingestion\.streams/);
  assert.ok(none?.outcome === 'retry' && none.scope === 'batch');
  assert.deepEqual(app, DELIVERED);
  assert.deepEqual(
    rig.sent.map(({ stream }) => stream),
    ['Custom-App_CL'],
  );
});

test('a merged request that is refused is taken apart: bad records become dead letters, the others are delivered once', async () => {
  const isBad = (n: unknown): boolean => n === 3 || n === 17 || n === 18;
  const delivered: unknown[] = [];
  await using rig = createRig({
    answer(sent) {
      if (numbers([sent]).some(isBad)) return BAD;
      delivered.push(...numbers([sent]));
      return DELIVERED;
    },
  });
  const batches = [0, 10, 20, 30].map((from) => envelope('LINUX_SYSLOGS_BLOB', count(from, from + 10)));
  const [first, second, ...others] = await rig.transport.offer(batches, signal);
  assert.deepEqual(others, [DELIVERED, DELIVERED]);
  assert.ok(first?.outcome === 'split' && second?.outcome === 'split');
  assert.deepEqual([first.deliveredRecords, first.refused.map(({ records }) => records)], [9, [1]]);
  assert.deepEqual([second.deliveredRecords, second.refused.map(({ records }) => records)], [8, [2]]);
  const [letter] = second.refused;
  assert.equal(letter?.answer, 'bad records');
  assert.deepEqual((JSON.parse(inflateSync(letter?.batch.body ?? '').toString()) as { DataItems: unknown }).DataItems, [{ n: 17 }, { n: 18 }]);
  assert.deepEqual(
    delivered.toSorted((a, b) => Number(a) - Number(b)),
    count(0, 40).flatMap(({ n }) => (isBad(n) ? [] : [n])),
  );
});

test('a batch that is bad throughout does not cost its neighbours anything', async () => {
  await using rig = createRig({ answer: (sent) => (numbers([sent]).some((n) => Number(n) < 100) ? BAD : DELIVERED) });
  const verdicts = await rig.transport.offer([envelope('LINUX_SYSLOGS_BLOB', count(0, 100)), envelope('LINUX_SYSLOGS_BLOB', count(100, 200))], signal);
  assert.deepEqual(verdicts, [BAD, DELIVERED]);
});

test('when some requests of a batch were taken, only the rest is sent again', async () => {
  let isDown = false;
  const taken: unknown[] = [];
  await using rig = createRig({
    answer(sent) {
      if (isDown) return RETRY;
      isDown = true;
      taken.push(...numbers([sent]));
      return DELIVERED;
    },
  });
  const records = count(0, 20_000).map((record) => ({ ...record, text: randomBytes(50).toString('hex') }));
  const batch = envelope('LINUX_SYSLOGS_BLOB', records);
  assert.deepEqual(await rig.transport.offer([batch], signal), [RETRY]);
  const before = rig.sent.length;
  isDown = false;
  const again = await rig.transport.offer([batch], signal);
  assert.deepEqual(again, [before === 2 ? DELIVERED : RETRY]);
  assert.equal(rig.sent[before]?.rows.length, rig.sent[before - 1]?.rows.length);
  assert.equal(new Set(taken).size, taken.length);
  assert.equal(taken.length, 20_000);
});

test('a search that is broken off by an outage goes on where it was', async () => {
  let left = 4;
  const delivered: unknown[] = [];
  await using rig = createRig({
    answer(sent) {
      left -= 1;
      if (left === 0) return RETRY;
      if (numbers([sent]).includes(50)) return BAD;
      delivered.push(...numbers([sent]));
      return DELIVERED;
    },
  });
  const batch = envelope('LINUX_SYSLOGS_BLOB', count(0, 64));
  assert.deepEqual(await rig.transport.offer([batch], signal), [RETRY]);
  const [verdict] = await rig.transport.offer([batch], signal);
  assert.ok(verdict?.outcome === 'split');
  assert.deepEqual([verdict.deliveredRecords, verdict.refused.length], [63, 1]);
  assert.equal(new Set(delivered).size, delivered.length);
  assert.equal(delivered.length, 63);
});

test('a body that already fits passes byte for byte, by itself and under load', async () => {
  await using rig = createRig();
  const small = custom('App', '[ {"TimeGenerated":"2026-11-22T09:00:00Z", "n":1} ]');
  assert.deepEqual(await rig.transport.offer([small], signal), [DELIVERED]);
  assert.ok(rig.sent[0]?.request.body.equals(small.body));
  const rows = count(0, 5_000).map((record) => ({ TimeGenerated: '2026-11-22T09:00:00Z', ...record, text: randomBytes(100).toString('base64') }));
  const large = custom('App', JSON.stringify(rows));
  assert.ok(large.body.length > 524_288 && large.body.length <= 1_048_576, `${large.body.length}`);
  assert.deepEqual(await rig.transport.offer([custom('App', '[{"n":2}]'), large, custom('App', '[{"n":3}]')], signal), [DELIVERED, DELIVERED, DELIVERED]);
  assert.ok(rig.sent.some(({ request }) => request.body.equals(large.body)));
  assert.equal(
    rig.sent.slice(1).reduce((sum, sent) => sum + sent.rows.length, 0),
    5_002,
  );
});

test('a table of the auxiliary plan is recognised by its refusal', async () => {
  const span = ({ rows }: Sent): number => {
    const times = rows.map(({ TimeGenerated }) => Date.parse(String(TimeGenerated)));
    return Math.max(...times) - Math.min(...times);
  };
  const answer = (sent: Sent): Outcome =>
    span(sent) > 30 * 60_000 ? { outcome: 'refused', status: 400, answer: '{"error":{"code":"RecordsTimeRangeIsMoreThan30Minutes"}}' } : DELIVERED;
  await using rig = createRig({ answer });
  const batch = envelope('LINUX_SYSLOGS_BLOB', [{ Timestamp: '2026-11-22T08:00:00Z' }, { Timestamp: '2026-11-22T09:00:00Z' }]);
  const [first] = await rig.transport.offer([batch], signal);
  assert.ok(first?.outcome === 'retry' && first.scope === 'batch');
  assert.deepEqual(await rig.transport.offer([batch], signal), [DELIVERED]);
  assert.equal(rig.sent.length, 3);
});

test('one batch that no thread survives does not take the others with it', async () => {
  await using rig = createRig({
    async transformTask(task) {
      if (task.batches.some(({ isCustom }) => isCustom)) throw new Error('the thread has ended');
      return transform(task);
    },
    streams: [{ source: 'App', stream: 'Custom-Syslog_CL', plan: 'analytics' }],
  });
  const [bad, good] = await rig.transport.offer([custom('App', '[{}]'), envelope('LINUX_SYSLOGS_BLOB', [{}])], signal);
  assert.deepEqual(good, DELIVERED);
  assert.ok(bad?.outcome === 'retry' && bad.scope === 'batch');
});
