import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { type Clock, every, systemClock } from '../src/clock.ts';

// A clock turned by hand: `due` is when the only waiting action runs.
function turnable(): Clock & { due(): number | undefined; turnTo(ms: number): Promise<void> } {
  let time = 0;
  let waiting: { at: number; action: () => void } | undefined;
  return {
    now: () => time,
    after(ms, action) {
      assert.equal(waiting, undefined);
      const mine = { at: time + ms, action };
      waiting = mine;
      return () => {
        if (waiting === mine) waiting = undefined;
      };
    },
    due: () => waiting?.at,
    async turnTo(ms) {
      time = ms;
      if (waiting && waiting.at <= time) {
        const { action } = waiting;
        waiting = undefined;
        action();
      }
      // What was awaited inside settles before any timer.
      await new Promise(setImmediate);
    },
  };
}

describe('every', () => {
  it('calls again and again, first after one interval', async () => {
    const clock = turnable();
    const calls: number[] = [];
    every(clock, 100, () => void calls.push(clock.now()));
    for (const at of [99, 100, 150, 200, 300]) await clock.turnTo(at);
    assert.deepEqual(calls, [100, 200, 300]);
  });

  it('counts the interval from when the last call has settled', async () => {
    const clock = turnable();
    const call = Promise.withResolvers<void>();
    every(clock, 100, () => call.promise);
    await clock.turnTo(100);
    assert.equal(clock.due(), undefined);
    await clock.turnTo(170);
    call.resolve();
    await clock.turnTo(170);
    assert.equal(clock.due(), 270);
  });

  it('goes on after a call that rejects or throws', async () => {
    const clock = turnable();
    let calls = 0;
    every(clock, 100, () => {
      calls += 1;
      if (calls === 1) throw new Error('thrown');
      return Promise.reject(new Error('rejected'));
    });
    for (const at of [100, 200, 300]) await clock.turnTo(at);
    assert.equal(calls, 3);
    assert.equal(clock.due(), 400);
  });

  it('ends between calls and during one', async () => {
    const clock = turnable();
    let calls = 0;
    const end = every(clock, 100, () => {
      calls += 1;
    });
    end();
    assert.equal(clock.due(), undefined);

    const call = Promise.withResolvers<void>();
    const endDuring = every(clock, 100, () => call.promise);
    await clock.turnTo(100);
    endDuring();
    call.resolve();
    await clock.turnTo(500);
    assert.equal(clock.due(), undefined);
    assert.equal(calls, 0);
    endDuring();
  });
});

describe('systemClock', () => {
  it('calls once when the time has come, not before, and not when cancelled', () => {
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1000 });
    try {
      const calls: number[] = [];
      systemClock.after(50, () => void calls.push(systemClock.now()));
      systemClock.after(50, () => void calls.push(-1))();
      mock.timers.tick(49);
      assert.deepEqual(calls, []);
      mock.timers.tick(1);
      mock.timers.tick(100);
      assert.deepEqual(calls, [1050]);
    } finally {
      mock.timers.reset();
    }
  });

  it('waits as long as it is asked to, also for months', () => {
    const sixtyDaysMs = 60 * 86_400_000;
    mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 0 });
    try {
      const calls: number[] = [];
      systemClock.after(sixtyDaysMs, () => void calls.push(systemClock.now()));
      const cancel = systemClock.after(sixtyDaysMs, () => void calls.push(-1));
      // Node's longest timer, twice, and almost the rest.
      for (const ms of [2 ** 31 - 1, 2 ** 31 - 1, sixtyDaysMs - 2 ** 32 + 1]) mock.timers.tick(ms);
      assert.deepEqual(calls, []);
      cancel();
      mock.timers.tick(1);
      assert.deepEqual(calls, [sixtyDaysMs]);
    } finally {
      mock.timers.reset();
    }
  });

  it('calls at once for a time that has passed', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      let calls = 0;
      systemClock.after(-5, () => {
        calls += 1;
      });
      mock.timers.tick(1);
      assert.equal(calls, 1);
    } finally {
      mock.timers.reset();
    }
  });
});
