import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonLines } from '../../../src/local-workspace/export/json-lines.ts';
import { dynamicJson, jsonOf, spanText, timeText } from '../../../src/local-workspace/export/json-value.ts';
import { NO_TEXT } from '../../../src/local-workspace/tables/vector.ts';
import { chunkOf, NINE, row } from './export-rig.ts';

const RANGE = { table: 'Syslog', from: NINE, to: NINE + 1_000 };

function textOf(chunk: Parameters<typeof jsonLines>[0]): string {
  return [...jsonLines(chunk, RANGE)].map(({ bytes }) => String(bytes)).join('');
}

test('a time is written as ISO 8601, with as many digits as it needs', () => {
  for (const [ms, text] of [
    [NINE, '2026-11-29T09:00:00.000Z'],
    [NINE + 1, '2026-11-29T09:00:00.001Z'],
    [NINE + 0.5, '2026-11-29T09:00:00.0005000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [-0.5, '1969-12-31T23:59:59.9995000Z'],
    [9e15, '9000000000000000'],
  ] as const) {
    assert.equal(timeText(ms), text);
  }
});

test('a span of time is written as Kusto writes it', () => {
  for (const [ms, text] of [
    [0, '00:00:00'],
    [1, '00:00:00.0010000'],
    [90_061_500, '1.01:01:01.5000000'],
    [-3_600_000, '-01:00:00'],
    [0.0001, '00:00:00.0000001'],
  ] as const) {
    assert.equal(spanText(ms), text);
  }
});

test('a dynamic is its own JSON with all its digits, on one line, and a text when it is none', () => {
  for (const [text, json] of [
    ['{"a":12345678901234567890}', '{"a":12345678901234567890}'],
    ['{\n "a": [1,\r\n 2]}', '{"a":[1,2]}'],
    ['not json', '"not json"'],
    ['', '""'],
  ] as const) {
    assert.equal(dynamicJson(text), json);
  }
});

test('numbers, truth values and texts are written by their type, and what a row has not is left out', () => {
  const numbers = (type: 'int' | 'real' | 'bool', values: number[]): (string | undefined)[] => {
    const write = jsonOf({ kind: 'number', type, values: Float64Array.from(values) });
    return values.map((_, at) => write(at));
  };
  assert.deepEqual(numbers('real', [1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]), ['1.5', undefined, '"Infinity"', '"-Infinity"']);
  assert.deepEqual(numbers('int', [0, -7, 9_007_199_254_740_991]), ['0', '-7', '9007199254740991']);
  assert.deepEqual(numbers('bool', [0, 1, Number.NaN]), ['false', 'true', undefined]);
  const write = jsonOf({ kind: 'text', type: 'string', dictionary: ['a "b"\n', 'é'], codes: Uint32Array.from([0, 1, NO_TEXT, 0]) });
  assert.deepEqual([0, 1, 2, 3].map(write), ['"a \\"b\\"\\n"', '"é"', undefined, '"a \\"b\\"\\n"']);
});

test('a chunk becomes one line for each row of the range, and no row outside of it', () => {
  const rows = [row(NINE - 1), row(NINE, 'first'), { ...row(NINE + 999), TimeGenerated: undefined, Message: undefined }, row(NINE + 1_000)];
  assert.equal(
    textOf(chunkOf(rows)),
    `{"TimeGenerated":"2026-11-29T08:59:00.000Z","Message":"first","_TimeReceived":"2026-11-29T09:00:00.000Z","_ItemId":"${rows[1]?.['_ItemId']}"}\n` +
      `{"_TimeReceived":"2026-11-29T09:00:00.999Z","_ItemId":"${rows[2]?.['_ItemId']}"}\n`,
  );
});

test('many rows come in pieces, which together have all rows and the bounds of their times', () => {
  const rows = Array.from({ length: 3_000 }, (_, at) => row(NINE + (at % 1_000), 'x'.repeat(50)));
  const pieces = [...jsonLines(chunkOf(rows), RANGE)];
  assert.ok(pieces.length > 1 && pieces.every(({ bytes }) => bytes.length < 70_000));
  assert.equal(
    pieces.reduce((sum, { rows: count }) => sum + count, 0),
    3_000,
  );
  assert.equal(Math.min(...pieces.map(({ oldest }) => oldest ?? 0)), NINE - 60_000);
  assert.equal(Math.max(...pieces.map(({ newest }) => newest ?? 0)), NINE - 60_000 + 999);
});

test('a row that does not say when it was received stops the export instead of being left out', () => {
  assert.throws(() => textOf(chunkOf([{ Message: 'x', _ItemId: 'y' }])), { code: 'relay.local-workspace.export-bad-rows', message: /Syslog/ });
  assert.throws(() => textOf(chunkOf([row(NINE), { Message: 'x' }])), { code: 'relay.local-workspace.export-bad-rows' });
});
