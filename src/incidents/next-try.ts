/** When a notice that could not be sent is tried again. Pure. */

const WAITS_MS = [30_000, 60_000, 120_000, 300_000, 600_000];
/** The longest wait between two tries, in milliseconds. */
export const LONGEST_WAIT_MS = 900_000;
/** A notice is tried for a day: as long as somebody may need to mend a setting. */
export const GIVE_UP_AFTER_MS: number = 24 * 60 * 60_000;

/**
 * The time of the next try after `attempts` failed ones (1 or more): after half a minute, then ever longer, then every quarter of an hour.
 * Undefined when that would be more than a day after the notice was made.
 */
export function nextTryAt({ createdAt, attempts, now }: { readonly createdAt: number; readonly attempts: number; readonly now: number }): number | undefined {
  const at = now + (WAITS_MS[attempts - 1] ?? LONGEST_WAIT_MS);
  return at - createdAt > GIVE_UP_AFTER_MS ? undefined : at;
}
