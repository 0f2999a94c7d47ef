import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBudget } from '../../../src/upstream/logs-ingestion/budget.ts';

test('what a rule takes in a minute is not exceeded by more than a few seconds of it', () => {
  const budget = createBudget({ requestsAMinute: 60, bytesAMinute: 6_000 });
  const waits = Array.from({ length: 8 }, () => budget.take(1_000_000, 1));
  assert.deepEqual(waits, [0, 0, 0, 0, 0, 0, 1_000, 2_000]);
  assert.equal(budget.take(1_010_000, 6_000), 0);
  assert.ok(budget.take(1_010_000, 1) > 50_000, 'bytes count too');
});
