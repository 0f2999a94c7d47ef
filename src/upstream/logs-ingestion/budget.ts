/** What a data collection rule takes in a minute, kept by ourselves: a bucket that fills evenly. Pure but for its own state. */

export interface BudgetSettings {
  readonly requestsAMinute: number;
  readonly bytesAMinute: number;
}

export interface Budget {
  /** Takes one request of so many bytes; returns after how many milliseconds it may go. */
  take(now: number, bytes: number): number;
}

const MINUTE_MS = 60_000;
/** What was not used of the last seconds may go at once. */
const SAVED_MS = 5_000;

export function createBudget({ requestsAMinute, bytesAMinute }: BudgetSettings): Budget {
  /** When all that was taken is paid for, in milliseconds since 1970: behind now when something is saved. */
  let requestsUntil = Number.NEGATIVE_INFINITY;
  let bytesUntil = Number.NEGATIVE_INFINITY;

  return {
    take(now, bytes) {
      // A clock that was set back must not hold up what comes.
      if (Math.max(requestsUntil, bytesUntil) > now + MINUTE_MS) requestsUntil = bytesUntil = now;
      const wait = Math.max(0, requestsUntil - now, bytesUntil - now);
      requestsUntil = Math.max(requestsUntil, now - SAVED_MS) + MINUTE_MS / requestsAMinute;
      bytesUntil = Math.max(bytesUntil, now - SAVED_MS) + (MINUTE_MS * bytes) / bytesAMinute;
      return Math.ceil(wait);
    },
  };
}
