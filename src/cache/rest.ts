/** Whether a workspace's queue is awake, or rests because the workspace cannot be reached. Pure but for its own state: times come in as arguments. */
import { nextTry, type RetrySchedule } from '../retry/schedule.ts';
import type { UpstreamState } from './cache.ts';

export interface Rest {
  /** The workspace could not be reached: rest until the next try. Returns when that is, in milliseconds since 1970. */
  failed(now: number, reason: string, retryAfterMs: number | undefined): number;
  /** The workspace answered: everything may go. True when it had been resting. */
  answered(): boolean;
  /** Makes the next try due now, however long it was to wait. */
  retryNow(now: number): void;
  /** How many groups may be in flight now: all, one for a try that is due, or none. */
  allowance(now: number, all: number): number;
  state(): UpstreamState;
}

interface Resting {
  readonly firstAt: number;
  readonly lastAt: number;
  readonly nextTryAt: number;
  readonly held: boolean;
  readonly reason: string;
}

export function createRest(schedule: RetrySchedule): Rest {
  let resting: Resting | undefined;

  return {
    failed(now, reason, retryAfterMs) {
      const firstAt = resting?.firstAt ?? now;
      const next = nextTry({ firstAt, now, retryAfterMs }, schedule);
      resting = { firstAt, lastAt: now, nextTryAt: next.at, held: next.held, reason };
      return next.at;
    },
    answered() {
      const hadRested = resting !== undefined;
      resting = undefined;
      return hadRested;
    },
    retryNow(now) {
      if (resting) resting = { ...resting, nextTryAt: now };
    },
    allowance(now, all) {
      if (!resting) return all;
      // Before the last failure: the clock was set back, and the next try would be later by as much.
      return now >= resting.nextTryAt || now < resting.lastAt ? 1 : 0;
    },
    state: () =>
      resting
        ? {
            state: resting.held ? 'held' : 'resting',
            since: resting.firstAt,
            nextTryAt: resting.nextTryAt,
            heldAt: resting.firstAt + schedule.windowMs,
            reason: resting.reason,
          }
        : { state: 'awake' },
  };
}
