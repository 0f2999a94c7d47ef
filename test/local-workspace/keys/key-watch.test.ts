import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataKeyId, makeDataKey } from '../../../src/local-workspace/keys/data-key.ts';
import { unavailable, unavailableForNow } from '../../../src/local-workspace/keys/key-provider.ts';
import { afterCheck, type CheckResult, nextCheckMs, type Watch } from '../../../src/local-workspace/keys/key-watch.ts';

const KEY = makeDataKey();
const OPENED: CheckResult = { outcome: 'opened', key: KEY, id: dataKeyId(KEY) };
const GONE = unavailable('there is no file');
const SLOW = unavailableForNow('it did not answer');

/** Checks that begin at these seconds and end a second later; what is thought of the key after each: available, or since when it is not. */
function thought(checks: readonly (readonly [beginsAtS: number, result: CheckResult])[]): readonly (true | number)[] {
  let watch: Watch | undefined;
  return checks.map(([atS, result]) => {
    watch = afterCheck(watch, result, { begunAt: atS * 1000, now: (atS + 1) * 1000 });
    return watch.state.available || watch.state.since / 1000;
  });
}

test('a key counts as taken away at once when that is definite, and after 50 seconds when it may pass', () => {
  // biome-ignore format: a table
  for (const [what, checks, expected] of [
    ['given out', [[0, OPENED], [30, OPENED]], [true, true]],
    ['gone, and back', [[0, OPENED], [30, GONE], [60, GONE], [90, OPENED]], [true, 30, 30, true]],
    ['slow once', [[0, OPENED], [30, SLOW], [40, OPENED]], [true, true, true]],
    ['slow for 49 seconds', [[0, OPENED], [30, SLOW], [78, SLOW]], [true, true, true]],
    ['slow for 50 seconds', [[0, OPENED], [30, SLOW], [79, SLOW]], [true, true, 30]],
    ['slow, well, slow', [[0, OPENED], [30, SLOW], [40, OPENED], [60, SLOW], [100, SLOW]], [true, true, true, true, true]],
    ['slow, then gone', [[0, OPENED], [30, SLOW], [40, GONE]], [true, true, 40]],
    ['gone, then slow', [[0, OPENED], [30, GONE], [60, SLOW], [120, SLOW]], [true, 30, 30, 30]],
    ['never there', [[0, GONE], [30, GONE], [60, OPENED]], [0, 0, true]],
    ['slow from the beginning: there is no key to go on with', [[0, SLOW], [10, OPENED]], [0, true]],
  ] as const) {
    assert.deepEqual(thought(checks as never), expected, what);
  }
});

test('the reason is the latest one, the time the first', () => {
  const before = afterCheck(undefined, GONE, { begunAt: 1, now: 2 });
  assert.deepEqual(afterCheck(before, unavailable('it refuses'), { begunAt: 5, now: 6 }).state, { available: false, since: 1, reason: 'it refuses' });
});

test('the key in use stays the same object while it is given out again', () => {
  const before = afterCheck(undefined, OPENED, { begunAt: 0, now: 1 });
  const after = afterCheck(before, { outcome: 'opened', key: makeDataKey(), id: dataKeyId(KEY) }, { begunAt: 2, now: 3 });
  assert.equal(after.state, before.state);
});

test('the next check comes at the interval, sooner while it is not known, and at the 50 seconds', () => {
  const available = afterCheck(undefined, OPENED, { begunAt: 0, now: 0 });
  const gone = afterCheck(undefined, GONE, { begunAt: 0, now: 0 });
  const slow = afterCheck(available, SLOW, { begunAt: 30_000, now: 40_000 });
  const slowFromTheBeginning = afterCheck(undefined, SLOW, { begunAt: 0, now: 10_000 });
  for (const [what, watch, everyMs, now, expected] of [
    ['available', available, 30_000, 0, 30_000],
    ['gone', gone, 30_000, 0, 30_000],
    ['slow', slow, 30_000, 40_000, 10_000],
    ['slow, looked at often', slow, 5_000, 40_000, 5_000],
    ['slow, nearly 50 s', slow, 30_000, 76_000, 4_000],
    ['slow, past 50 s', slow, 30_000, 99_000, 0],
    ['slow with no key', slowFromTheBeginning, 30_000, 90_000, 10_000],
  ] as const) {
    assert.equal(nextCheckMs(watch, everyMs, now), expected, what);
  }
});
