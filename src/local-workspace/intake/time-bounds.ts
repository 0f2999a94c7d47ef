const OLDEST_MS = 2 * 86_400_000;
const FURTHEST_MS = 86_400_000;

/** Whether the service keeps a record's own time: not more than two days before it was received, nor more than one after. Both in milliseconds since 1970. */
export function isHonoured(time: number, receivedAt: number): boolean {
  return time >= receivedAt - OLDEST_MS && time <= receivedAt + FURTHEST_MS;
}
