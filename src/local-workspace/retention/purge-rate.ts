/** Requests for a purge that a workspace takes in an hour, as the service. */
export const PURGES_PER_HOUR = 50;

export const PURGE_RATE_MS = 3_600_000;

/** Seconds until the next request is taken, 0 when it is now. `requestedAt`: those of the last hour, the oldest first, in milliseconds since 1970. */
export function purgeRetryAfterS(requestedAt: readonly number[], now: number): number {
  const first = requestedAt.at(-PURGES_PER_HOUR);
  return first === undefined ? 0 : Math.max(0, Math.ceil((first + PURGE_RATE_MS - now) / 1_000));
}
