/** A limit of bytes per second. Pure but for its own state: times come in as arguments, in milliseconds since 1970. */
export interface Rate {
  /** How long the next group must wait, in milliseconds; 0 when it may go. */
  waitMs(now: number): number;
  spend(bytes: number, now: number): void;
}

const SECOND_MS = 1_000;

/**
 * A bucket that holds one second's worth and may be overdrawn by one group: a group larger than the bucket goes too, and those after it wait
 * the longer. Undefined is no limit.
 */
export function createRate(bytesPerS: number | undefined): Rate {
  if (bytesPerS === undefined) return { waitMs: () => 0, spend: () => {} };
  let left = bytesPerS;
  let filledAt: number | undefined;

  // A clock set back counts as no time passed.
  const fill = (now: number): void => {
    const passedMs = Math.max(0, now - (filledAt ?? now));
    left = Math.min(bytesPerS, left + (passedMs * bytesPerS) / SECOND_MS);
    filledAt = now;
  };

  return {
    waitMs(now) {
      fill(now);
      return left > 0 ? 0 : Math.floor((-left * SECOND_MS) / bytesPerS) + 1;
    },
    spend(bytes, now) {
      fill(now);
      left -= bytes;
    },
  };
}
