import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nextTry, type RetrySchedule } from '../../src/retry/schedule.ts';

const MINUTE_MS = 60_000;
const FIRST = Date.UTC(2026, 10, 22, 12);
const SCHEDULE: RetrySchedule = { everyMs: 8 * MINUTE_MS, windowMs: 120 * MINUTE_MS };

// The minutes after the first failure at which tries begin while every one fails after `lastsMs`, with the minute of the first held one.
function run(tries: number, lastsMs: (attempt: number) => number): { minutes: number[]; heldAt: number | undefined } {
  const minutes: number[] = [0];
  let heldAt: number | undefined;
  let at = FIRST;
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const next = nextTry({ firstAt: FIRST, now: attempt === 0 ? at : at + lastsMs(attempt) }, SCHEDULE);
    if (next.held) heldAt ??= (at - FIRST) / MINUTE_MS;
    at = next.at;
    minutes.push((at - FIRST) / MINUTE_MS);
  }
  return { minutes, heldAt };
}

const EVERY_EIGHT = Array.from({ length: 21 }, (_, index) => index * 8);

describe('nextTry', () => {
  it('tries every eight minutes exactly, holds the data at two hours and goes on', () => {
    assert.deepEqual(
      run(20, () => 0),
      { minutes: EVERY_EIGHT, heldAt: 120 },
    );
  });

  it('keeps to those minutes however long each try takes', () => {
    assert.deepEqual(
      run(20, () => 30_000),
      { minutes: EVERY_EIGHT, heldAt: 120 },
    );
    assert.deepEqual(
      run(20, (attempt) => (attempt * 7919) % 300_000),
      { minutes: EVERY_EIGHT, heldAt: 120 },
    );
  });

  it('leaves out the minutes that a long try passed', () => {
    const now = FIRST + 8 * MINUTE_MS + 10 * MINUTE_MS;
    assert.equal(nextTry({ firstAt: FIRST, now }, SCHEDULE).at, FIRST + 24 * MINUTE_MS);
  });

  it('does not use the same minute twice when a timer fires a moment early', () => {
    for (const earlyMs of [1, 50, 4_000]) {
      const now = FIRST + 8 * MINUTE_MS - earlyMs;
      assert.equal(nextTry({ firstAt: FIRST, now }, SCHEDULE).at, FIRST + 16 * MINUTE_MS);
    }
  });

  it('holds from the window’s last millisecond on, not before', () => {
    const heldAfter = (elapsedMs: number): boolean => nextTry({ firstAt: FIRST, now: FIRST + elapsedMs }, SCHEDULE).held;
    assert.equal(heldAfter(0), false);
    assert.equal(heldAfter(120 * MINUTE_MS - 1), false);
    assert.equal(heldAfter(120 * MINUTE_MS), true);
    assert.equal(heldAfter(30 * 24 * 60 * MINUTE_MS), true);
  });

  const asked: readonly (readonly [askedMs: number, waitedMs: number])[] = [
    [30_000, 30_000],
    [1_000, 1_000],
    [999, 1_000],
    [0, 1_000],
    [-60_000, 1_000],
    [8 * MINUTE_MS, 8 * MINUTE_MS],
    [8 * MINUTE_MS + 1, 8 * MINUTE_MS],
    [365 * 24 * 60 * MINUTE_MS, 8 * MINUTE_MS],
    [Number.POSITIVE_INFINITY, 8 * MINUTE_MS],
  ];
  for (const [retryAfterMs, waitedMs] of asked) {
    it(`waits ${waitedMs} ms when upstream asks for ${retryAfterMs}`, () => {
      const now = FIRST + 3 * MINUTE_MS;
      assert.equal(nextTry({ firstAt: FIRST, now, retryAfterMs }, SCHEDULE).at, now + waitedMs);
    });
  }

  it('keeps its own minutes when what upstream asks for is no number', () => {
    assert.equal(nextTry({ firstAt: FIRST, now: FIRST + 1, retryAfterMs: Number.NaN }, SCHEDULE).at, FIRST + 8 * MINUTE_MS);
  });

  it('returns to its own minutes after a wait that upstream asked for', () => {
    const asked = nextTry({ firstAt: FIRST, now: FIRST, retryAfterMs: 5 * MINUTE_MS }, SCHEDULE);
    assert.equal(asked.at, FIRST + 5 * MINUTE_MS);
    assert.equal(nextTry({ firstAt: FIRST, now: asked.at }, SCHEDULE).at, FIRST + 8 * MINUTE_MS);
  });

  it('holds data whatever upstream asks for', () => {
    assert.equal(nextTry({ firstAt: FIRST, now: FIRST + 121 * MINUTE_MS, retryAfterMs: 1_000 }, SCHEDULE).held, true);
  });

  it('waits one interval, and holds nothing, when the clock was set back', () => {
    const now = FIRST - 24 * 60 * MINUTE_MS;
    assert.deepEqual(nextTry({ firstAt: FIRST, now }, SCHEDULE), { at: now + 8 * MINUTE_MS, held: false });
  });

  it('never plans a try in the past or later than one interval and a moment', () => {
    for (let elapsed = 0; elapsed < 130 * MINUTE_MS; elapsed += 12_345) {
      const now = FIRST + elapsed;
      const { at } = nextTry({ firstAt: FIRST, now }, SCHEDULE);
      assert.ok(at > now && at <= now + SCHEDULE.everyMs * 1.01);
    }
  });
});
