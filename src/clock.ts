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
    let timer: NodeJS.Timeout;
    const wait = (leftMs: number): void => {
      const next = leftMs > LONGEST_TIMER_MS ? () => wait(leftMs - LONGEST_TIMER_MS) : action;
      timer = setTimeout(next, Math.min(Math.max(leftMs, 0), LONGEST_TIMER_MS)).unref();
    };
    wait(ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Calls `action` again and again, `ms` after the last call has settled, also when it failed: `action` reports its own failures.
 * The function returned ends it.
 */
export function every(clock: Clock, ms: number, action: () => void | Promise<void>): () => void {
  let cancel = (): void => {};
  let ended = false;
  const plan = (): void => {
    if (!ended) cancel = clock.after(ms, run);
  };
  const run = (): void => {
    void new Promise<void>((resolve) => resolve(action())).then(plan, plan);
  };
  plan();
  return () => {
    ended = true;
    cancel();
  };
}
