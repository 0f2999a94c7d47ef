import type { Status } from '../control/api.ts';
import { ask } from '../control/client.ts';
import type { Look } from './health-rule.ts';

const ANSWER_MS = 2_000;

/** How the relay that listens at this socket is; undefined when it does not answer, or not as one. */
export async function relayStatus(socket: string): Promise<Look['status']> {
  try {
    const { version, pid, cache } = await ask<Status>(socket, 'GET', '/status', undefined, { signal: AbortSignal.timeout(ANSWER_MS) });
    return { version, pid, reasons: cache.ready.ok ? [] : cache.ready.reasons };
  } catch {
    return undefined;
  }
}
