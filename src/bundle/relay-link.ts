import type { Status } from '../control/api.ts';
import { ask } from '../control/client.ts';
import { why, within } from '../doctor/within.ts';

/** The running relay as the bundle asks it, or why it cannot be asked. */
export type RelayLink =
  | {
      readonly runs: true;
      /** As the relay was when it was asked first. */
      readonly status: Status;
      get<T>(path: string): Promise<T>;
      post<T>(path: string, body: unknown): Promise<T>;
    }
  | { readonly runs: false; readonly reason: string };

/** Asks once how the relay is: one that does not answer within `limitMs` is taken for absent, so that no part waits for it again. */
export async function linkToRelay(socket: string, limitMs: number): Promise<RelayLink> {
  const asked = await within(limitMs, () => ask<Status>(socket, 'GET', '/status'));
  if (asked.outcome !== 'done') return { runs: false, reason: `no relay answers at ${socket}: ${why(asked)}` };
  return { runs: true, status: asked.value, get: (path) => ask(socket, 'GET', path), post: (path, body) => ask(socket, 'POST', path, body) };
}
