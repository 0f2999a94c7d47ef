/** Time as an argument: what the relay plans by. Tests pass a clock they turn by hand. */
export interface Clock {
  /** Milliseconds since 1970 (UTC). */
  now(): number;
  /** Calls `action` once after `ms` milliseconds (0 or more). The function returned cancels it. */
  after(ms: number, action: () => void): () => void;
}

// Node clamps longer timers to 1 ms.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(Math.max(ms, 0), LONGEST_TIMER_MS)).unref();
    return () => clearTimeout(timer);
  },
};

/** Calls `action` again and again, `ms` after the last call has settled. The function returned ends it. */
export function every(clock: Clock, ms: number, action: () => void | Promise<void>): () => void {
  let cancel = (): void => {};
  let ended = false;
  const plan = (): void => {
    if (!ended) cancel = clock.after(ms, run);
  };
  const run = (): void => {
    void Promise.resolve(action()).then(plan, plan);
  };
  plan();
  return () => {
    ended = true;
    cancel();
  };
}
