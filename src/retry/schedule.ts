/** When a workspace that cannot be reached, or a group that alone fails, is tried again. */
export interface RetrySchedule {
  /** Milliseconds between tries; eight minutes by default. */
  readonly everyMs: number;
  /** Milliseconds from the first failure until data counts as held; two hours by default. */
  readonly windowMs: number;
}

export interface Failure {
  /** When the first of this run of failures happened, in milliseconds since 1970. */
  readonly firstAt: number;
  /** Now, in milliseconds since 1970. */
  readonly now: number;
  /** What upstream asked for in Retry-After, in milliseconds, if it did. */
  readonly retryAfterMs?: number | undefined;
}

export interface NextTry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** True once the retry window is over: the tries go on, the data stays. */
  readonly held: boolean;
}

const SHORTEST_RETRY_AFTER_MS = 1_000;

/**
 * The next try after a failure. Tries fall on the first failure plus whole multiples of `everyMs`, however long each took; time is
 * counted from the first failure, not in attempts. Retry-After moves the try, but never past one interval: a wrong or hostile value
 * must not silence the relay. A clock set back counts as no time passed.
 */
export function nextTry(failure: Failure, schedule: RetrySchedule): NextTry {
  const elapsed = Math.max(0, failure.now - failure.firstAt);
  // Not a number: a date in Retry-After that nobody could read.
  const asked = Number.isNaN(failure.retryAfterMs) ? undefined : failure.retryAfterMs;
  const wait = asked === undefined ? untilNextSlot(elapsed, schedule.everyMs) : bounded(asked, schedule.everyMs);
  return { at: failure.now + wait, held: elapsed >= schedule.windowMs };
}

// A timer may fire a moment early: a slot that is almost reached has been used by the try that just failed.
function untilNextSlot(elapsed: number, everyMs: number): number {
  const wait = everyMs - (elapsed % everyMs);
  return wait < everyMs / 100 ? wait + everyMs : wait;
}

function bounded(retryAfterMs: number, everyMs: number): number {
  return Math.min(Math.max(retryAfterMs, SHORTEST_RETRY_AFTER_MS), everyMs);
}
