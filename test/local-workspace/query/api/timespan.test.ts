import assert from 'node:assert/strict';
import { test } from 'node:test';
import { intersection, readTimespan } from '../../../../src/local-workspace/query/api/timespan.ts';

const NOW = Date.parse('2026-11-29T12:00:00Z');

const READ: readonly (readonly [text: string, from: string, to: string])[] = [
  ['PT12H', '2026-11-29T00:00:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['P1D', '2026-11-28T12:00:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['p1w', '2026-11-22T12:00:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['P1Y2M', '2025-09-30T12:00:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['P3DT12H', '2026-11-26T00:00:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['PT1H30M0.5S', '2026-11-29T10:29:59.500Z', '2026-11-29T12:00:00.000Z'],
  [' PT5M ', '2026-11-29T11:55:00.000Z', '2026-11-29T12:00:00.000Z'],
  ['2024-01-01/2024-01-02', '2024-01-01T00:00:00.000Z', '2024-01-02T00:00:00.000Z'],
  ['2024-01-01T10:00/2024-01-01T11:30:15.25', '2024-01-01T10:00:00.000Z', '2024-01-01T11:30:15.250Z'],
  ['2024-01-01T10:00:00Z/2024-01-01T12:00:00+01:00', '2024-01-01T10:00:00.000Z', '2024-01-01T11:00:00.000Z'],
  ['2024-01-01T10:00:00+0100/PT1H', '2024-01-01T09:00:00.000Z', '2024-01-01T10:00:00.000Z'],
  ['2024-01-01/P1D', '2024-01-01T00:00:00.000Z', '2024-01-02T00:00:00.000Z'],
  ['PT1H/2024-01-01T00:00:00.000Z', '2023-12-31T23:00:00.000Z', '2024-01-01T00:00:00.000Z'],
  ['2024-01-01T00:00:00.1234567Z / 2024-02-29', '2024-01-01T00:00:00.123Z', '2024-02-29T00:00:00.000Z'],
];

test('durations and intervals are read', () => {
  for (const [text, from, to] of READ) {
    const read = readTimespan(text, NOW);
    assert.ok(read.ok, text);
    assert.deepEqual([new Date(read.timespan.from ?? 0).toISOString(), new Date(read.timespan.to ?? 0).toISOString()], [from, to], text);
  }
});

const REFUSED: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /neither/],
  ['P', /neither/],
  ['PT', /neither/],
  ['P1DT', /neither/],
  ['P1H', /neither/],
  ['PT1.2.3H', /neither/],
  ['PT.H', /neither/],
  ['-PT1H', /neither/],
  ['P101Y', /at most 100 years/],
  ['PT0S', /start is not before its end/],
  ['12h', /neither/],
  ['2024-01-01', /neither/],
  ['2024-02-30/2024-03-01', /neither/],
  ['2024-01-02/2024-01-01', /start is not before its end/],
  ['2024-01-01T25:00/2024-01-03', /neither/],
  ['PT1H/PT2H', /neither/],
  ['2024-01-01/', /neither/],
  ['a/b/c', /more than two parts/],
  ['x'.repeat(101), /longer than 100 characters/],
];

test('anything else is refused with the value and the way to write it', () => {
  for (const [text, why] of REFUSED) {
    const read = readTimespan(text, NOW);
    assert.ok(!read.ok, text);
    assert.match(read.message, why);
    assert.match(read.message, /^timespan is ".*Write one such as PT12H or /s);
    assert.ok(read.message.includes(text.slice(0, 100)));
  }
});

test('of two timespans the time in both counts', () => {
  assert.deepEqual(intersection({ from: 1, to: 5 }, { from: 3, to: 9 }), { from: 3, to: 5 });
  assert.deepEqual(intersection({ from: 1 }, { to: 9 }), { from: 1, to: 9 });
  assert.deepEqual(intersection(undefined, { from: 3 }), { from: 3 });
  assert.equal(intersection(undefined, undefined), undefined);
});
