import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRest } from '../../src/cache/rest.ts';
import { START_MS } from './batches.ts';

const MINUTE_MS = 60_000;
const SCHEDULE = { everyMs: 8 * MINUTE_MS, windowMs: 120 * MINUTE_MS };

describe('createRest', () => {
  it('is awake at first and lets everything go', () => {
    const rest = createRest(SCHEDULE);
    assert.deepEqual(rest.state(), { state: 'awake' });
    assert.equal(rest.allowance(START_MS, 4), 4);
    assert.equal(rest.answered(), false);
  });

  it('lets one try go every eight minutes for two hours, then holds, and goes on trying', () => {
    const rest = createRest(SCHEDULE);
    for (let minute = 0; minute <= 240; minute += 8) {
      const now = START_MS + minute * MINUTE_MS;
      const next = rest.failed(now, `failure at ${minute}`, undefined);
      assert.equal(next, now + 8 * MINUTE_MS);
      assert.deepEqual(rest.state(), {
        state: minute < 120 ? 'resting' : 'held',
        since: START_MS,
        nextTryAt: next,
        heldAt: START_MS + 120 * MINUTE_MS,
        reason: `failure at ${minute}`,
      });
      assert.equal(rest.allowance(now, 4), 0);
      assert.equal(rest.allowance(next - 1, 4), 0);
      assert.equal(rest.allowance(next, 4), 1);
      assert.equal(rest.allowance(next + 3 * MINUTE_MS, 4), 1);
    }
  });

  it('keeps to the slots of the first failure however long the tries take', () => {
    const rest = createRest(SCHEDULE);
    rest.failed(START_MS, 'first', undefined);
    assert.equal(rest.failed(START_MS + 9.5 * MINUTE_MS, 'a slow try', undefined), START_MS + 16 * MINUTE_MS);
    assert.equal(rest.failed(START_MS + 16 * MINUTE_MS + 20, 'a quick one', undefined), START_MS + 24 * MINUTE_MS);
  });

  it('honours Retry-After, from one second up to the interval', () => {
    const waits = (askedMs: number): number => createRest(SCHEDULE).failed(START_MS, 'busy', askedMs) - START_MS;
    assert.equal(waits(30_000), 30_000);
    assert.equal(waits(0), 1_000);
    assert.equal(waits(-5), 1_000);
    assert.equal(waits(365 * 24 * 60 * MINUTE_MS), 8 * MINUTE_MS);
    assert.equal(waits(Number.NaN), 8 * MINUTE_MS);
  });

  it('tries at once when the clock was set back, instead of an hour and eight minutes later', () => {
    const rest = createRest(SCHEDULE);
    rest.failed(START_MS, 'away', undefined);
    assert.equal(rest.allowance(START_MS, 8), 0);
    assert.equal(rest.allowance(START_MS - 60 * MINUTE_MS, 8), 1);
    rest.failed(START_MS - 60 * MINUTE_MS, 'still away', undefined);
    assert.equal(rest.allowance(START_MS - 53 * MINUTE_MS, 8), 0);
    assert.equal(rest.allowance(START_MS - 52 * MINUTE_MS, 8), 1);
  });

  it('wakes with an answer and begins to count anew with the next failure', () => {
    const rest = createRest(SCHEDULE);
    rest.failed(START_MS, 'away', undefined);
    rest.failed(START_MS + 120 * MINUTE_MS, 'away', undefined);
    assert.equal(rest.state().state, 'held');
    assert.equal(rest.answered(), true);
    assert.deepEqual(rest.state(), { state: 'awake' });
    rest.failed(START_MS + 121 * MINUTE_MS, 'away again', undefined);
    assert.deepEqual(rest.state(), {
      state: 'resting',
      since: START_MS + 121 * MINUTE_MS,
      nextTryAt: START_MS + 129 * MINUTE_MS,
      heldAt: START_MS + 241 * MINUTE_MS,
      reason: 'away again',
    });
  });
});
