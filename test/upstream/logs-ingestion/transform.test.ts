import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Batch } from '../../../src/batch/batch.ts';
import { createFilling } from '../../../src/upstream/logs-ingestion/filling.ts';
import { gzipBody } from '../../../src/upstream/logs-ingestion/gzip-body.ts';
import { createPrepare } from '../../../src/upstream/logs-ingestion/preparing.ts';
import { type Transformed, transform } from '../../../src/upstream/logs-ingestion/transform.ts';
import { AGENT, custom, envelope, RECEIVED_AT } from './batches.ts';

const ALL = { batchId: true, agent: true, relay: true, originalTime: true };
const NONE = { batchId: false, agent: false, relay: false, originalTime: false };

function transformed(
  batches: readonly Batch[],
  { columns = ALL, isAuxiliary = false, only = undefined as undefined | { from: number; to: number }[] } = {},
): Transformed {
  const prepare = createPrepare({ columns, relayName: 'relay.bank', now: () => RECEIVED_AT });
  return transform({ batches: batches.map((batch) => prepare(batch, only)), isAuxiliary, maxBytes: 64 * 1024 * 1024 });
}

function textOf({ pieces }: Pick<Transformed, 'pieces'>): string {
  return gunzipSync(gzipBody(pieces)).toString();
}

function rowsOf(result: Transformed): Record<string, unknown>[] {
  return JSON.parse(textOf(result)) as Record<string, unknown>[];
}

test('the items of an envelope become rows with their own time and the columns asked for', () => {
  const batch = envelope('LINUX_SYSLOGS_BLOB', [{ Timestamp: '2026-11-22T09:00:00.123Z', Message: 'über' }, { Message: 'no time' }, {}]);
  const constants = { RelayBatchId: batch.id, RelayAgentId: AGENT, RelayName: 'relay.bank' };
  assert.deepEqual(rowsOf(transformed([batch])), [
    { Timestamp: '2026-11-22T09:00:00.123Z', Message: 'über', TimeGenerated: '2026-11-22T09:00:00.123Z', ...constants },
    { Message: 'no time', TimeGenerated: '2026-11-22T10:00:00.000Z', ...constants },
    { TimeGenerated: '2026-11-22T10:00:00.000Z', ...constants },
  ]);
});

test('a time that the service would replace is kept in a column of its own', () => {
  const [old, recent] = rowsOf(transformed([envelope('A', [{ EventTime: '2026-11-20T09:00:00Z' }, { EventTime: '2026-11-20T11:00:00Z' }])]));
  assert.equal(old?.['TimeGenerated'], '2026-11-20T09:00:00Z');
  assert.equal(old?.['OriginalTime'], '2026-11-20T09:00:00Z');
  assert.equal(recent?.['OriginalTime'], undefined);
});

test('times in other spellings are made readable, a TimeGenerated that nobody can read gives way', () => {
  const body = '[{"when":"2026-11-22 09:00:00","n":1},{"TimeGenerated":"soon","text":"ü"},{"TimeGenerated":"2026-11-22T09:00:00+01:00"}]';
  const [spaced, rewritten, own] = rowsOf(transformed([custom('App', body, 'gzip', { 'time-generated-field': 'when' })], { columns: NONE }));
  assert.equal(spaced?.['TimeGenerated'], '2026-11-22T09:00:00Z');
  assert.deepEqual(rewritten, { TimeGenerated: '2026-11-22T10:00:00.000Z', text: 'ü' });
  assert.equal(own?.['TimeGenerated'], '2026-11-22T09:00:00+01:00');
});

test('a record goes on as it was written, numbers of any length included', () => {
  const record = '{ "TimeGenerated":"2026-11-22T09:00:00Z", "big": 12345678901234567890.10, "s":"\\u00fc" }';
  assert.equal(textOf(transformed([custom('App', `[${record}]`)], { columns: NONE })), `[${record}]`);
});

test('one object in place of an array, and no records at all', () => {
  assert.equal(rowsOf(transformed([custom('App', '{"a":1}')]))[0]?.['a'], 1);
  const empty = transformed([envelope('A', [])]);
  assert.deepEqual([empty.pieces.length, empty.batches[0]?.records], [0, 0]);
});

test('what is no record is named, the others are sent', () => {
  const result = transformed([custom('App', '[{"a":1},7,{"b":},{"c":3}]')]);
  assert.deepEqual(
    result.batches[0]?.bad.map(({ record, status }) => ({ record, status })),
    [
      { record: 1, status: 400 },
      { record: 2, status: 400 },
    ],
  );
  assert.deepEqual(
    rowsOf(result).map(({ a, c }) => a ?? c),
    [1, 3],
  );
  assert.deepEqual(result.pieces[0]?.spans, [
    { batch: 0, from: 0, to: 1 },
    { batch: 0, from: 3, to: 4 },
  ]);
});

test('a body that is no JSON is unreadable, and does not hurt its neighbours', () => {
  const result = transformed([custom('App', 'hello'), custom('App', '[{"a":1}]')]);
  assert.match(result.batches[0]?.unreadable ?? '', /neither a JSON object nor an array/);
  assert.equal(rowsOf(result).length, 1);
});

test('many pieces make one gzip body, each record once and in order', () => {
  const records = Array.from({ length: 30_000 }, (_, n) => ({ n, text: randomBytes(40).toString('hex') }));
  const batches = [envelope('A', records.slice(0, 20_000)), envelope('A', records.slice(20_000))];
  const result = transformed(batches);
  assert.ok(result.pieces.length > 10, `${result.pieces.length} pieces`);
  assert.ok(result.pieces.every(({ data }) => data.length < 128 * 1024));
  assert.deepEqual(
    rowsOf(result).map(({ n }) => n),
    records.map(({ n }) => n),
  );
});

test('a record that compresses to more than a request is set apart', () => {
  const huge = randomBytes(1_500_000).toString('base64');
  const result = transformed([envelope('A', [{ n: 1 }, { huge }, { n: 3 }])]);
  assert.deepEqual(
    result.batches[0]?.bad.map(({ record, status }) => ({ record, status })),
    [{ record: 1, status: 413 }],
  );
  assert.deepEqual(
    rowsOf(result).map(({ n }) => n),
    [1, 3],
  );
});

test('no more than half an hour of records goes into one request of an auxiliary table', () => {
  const at = (minute: number): object => ({ Timestamp: new Date(RECEIVED_AT + minute * 60_000).toISOString() });
  const { pieces } = transformed([envelope('A', [at(0), at(29), at(31), at(60)])], { isAuxiliary: true });
  assert.deepEqual(
    pieces.map(({ spans }) => spans),
    [[{ batch: 0, from: 0, to: 2 }], [{ batch: 0, from: 2, to: 4 }]],
  );
  const filling = createFilling(true);
  assert.deepEqual(
    pieces.map((piece) => filling.add(piece, [])),
    [true, false],
  );
});

test('only the records that are asked for', () => {
  const result = transformed([envelope('A', [{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }])], {
    only: [
      { from: 1, to: 2 },
      { from: 3, to: 9 },
    ],
  });
  assert.deepEqual(
    rowsOf(result).map(({ n }) => n),
    [1, 3],
  );
});

test('a body that the service takes as it is, is known', () => {
  const fit = '[{"TimeGenerated":"2026-11-22T09:00:00Z"}]';
  const [known, lacking] = transformed([custom('App', fit), custom('App', '[{}]')], { columns: NONE }).batches;
  assert.equal(known?.fitBytes, fit.length);
  assert.equal(lacking?.fitBytes, undefined);
  assert.equal(transformed([custom('App', fit)]).batches[0]?.fitBytes, undefined);
});
