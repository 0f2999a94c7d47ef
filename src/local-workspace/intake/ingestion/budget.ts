const MINUTE_MS = 60_000;

/** What a rule takes in a minute. */
export interface Budget {
  /** Takes a call of that many bytes; or says, in seconds, when to come again. */
  spend(bytes: number, now: number): { readonly within: true } | { readonly within: false; readonly retryAfterS: number };
}

/** Counts in whole minutes of the clock. A call over the limit is not counted. */
export function createBudget({ requestsPerMinute, bytesPerMinute }: { readonly requestsPerMinute: number; readonly bytesPerMinute: number }): Budget {
  let minute = -1;
  let requests = 0;
  let spent = 0;
  return {
    spend(bytes, now) {
      const current = Math.floor(now / MINUTE_MS);
      if (current !== minute) {
        minute = current;
        requests = 0;
        spent = 0;
      }
      if (requests >= requestsPerMinute || (spent > 0 && spent + bytes > bytesPerMinute)) {
        return { within: false, retryAfterS: Math.max(1, Math.ceil(((current + 1) * MINUTE_MS - now) / 1_000)) };
      }
      requests += 1;
      spent += bytes;
      return { within: true };
    },
  };
}
