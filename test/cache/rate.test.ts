import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRate } from '../../src/cache/rate.ts';
import { START_MS } from './batches.ts';

describe('createRate', () => {
  it('limits nothing when nothing is set', () => {
    const rate = createRate(undefined);
    rate.spend(1e12, START_MS);
    assert.equal(rate.waitMs(START_MS), 0);
  });

  it('lets a second’s worth go at once, then makes each wait for what went before', () => {
    const rate = createRate(1_000);
    rate.spend(500, START_MS);
    assert.equal(rate.waitMs(START_MS), 0);
    rate.spend(700, START_MS);
    assert.equal(rate.waitMs(START_MS), 201);
    assert.equal(rate.waitMs(START_MS + 200), 1);
    assert.equal(rate.waitMs(START_MS + 201), 0);
  });

  it('lets what is larger than the bucket go too, and keeps to the rate over time', () => {
    const rate = createRate(1_000);
    let now = START_MS;
    for (let group = 0; group < 50; group += 1) {
      now += rate.waitMs(now);
      rate.spend(10_000, now);
    }
    const seconds = (now - START_MS) / 1_000;
    assert.ok(seconds > 480 && seconds < 500, String(seconds));
  });

  it('saves up no more than one second, and is not confused by a clock set back', () => {
    const rate = createRate(1_000);
    rate.spend(2_000, START_MS);
    assert.equal(rate.waitMs(START_MS - 3_600_000), 1_001);
    assert.equal(rate.waitMs(START_MS - 3_600_000 + 1_001), 0);
    rate.spend(1_000, START_MS + 86_400_000);
    rate.spend(100, START_MS + 86_400_000);
    assert.equal(rate.waitMs(START_MS + 86_400_000), 101);
  });
});
