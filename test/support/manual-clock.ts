import type { Clock } from '../../src/clock.ts';

export interface ManualClock extends Clock {
  /** Moves time on and calls what falls due, in order. */
  advance(ms: number): void;
  /** Milliseconds until each waiting action, shortest first. */
  waits(): number[];
}

/** A clock that moves only when told to. */
export function createManualClock(startMs: number = Date.now()): ManualClock {
  let now = startMs;
  let timers: { at: number; action: () => void }[] = [];
  return {
    now: () => now,
    after(ms, action) {
      const timer = { at: now + ms, action };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      now += ms;
      const due = timers.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
      timers = timers.filter((timer) => !due.includes(timer));
      for (const { action } of due) action();
    },
    waits: () => timers.map(({ at }) => at - now).sort((a, b) => a - b),
  };
}
