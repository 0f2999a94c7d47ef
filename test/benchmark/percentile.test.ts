import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentile, spreadOf } from './percentile.ts';

test('a percentile is a value that was measured, by the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);
  for (const [q, value] of [
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [0.991, 100],
    [1, 100],
  ] as const)
    assert.equal(percentile(hundred, q), value, `q ${q}`);
  assert.equal(percentile([7], 0.5), 7);
  assert.equal(percentile([], 0.5), 0);
});

test('the spread of durations does not depend on their order', () => {
  assert.deepEqual(spreadOf([30, 9, 100, 20]), { p50Ms: 20, p99Ms: 100, maxMs: 100 });
  assert.deepEqual(spreadOf([]), { p50Ms: 0, p99Ms: 0, maxMs: 0 });
});
