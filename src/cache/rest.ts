/** Whether a workspace's queue is awake, or rests because the workspace cannot be reached. Pure but for its own state: times come in as arguments. */
import { nextTry, type RetrySchedule } from '../retry/schedule.ts';
import type { UpstreamState } from './cache.ts';

export interface Rest {
  /** The workspace could not be reached: rest until the next try. Returns when that is, in milliseconds since 1970. */
  failed(now: number, reason: string, retryAfterMs: number | undefined): number;
  /** The workspace answered: everything may go. True when it had been resting. */
  answered(): boolean;
  /** How many groups may be in flight now: all, one for a try that is due, or none. */
  allowance(now: number, all: number): number;
  state(): UpstreamState;
}

interface Resting {
  readonly firstAt: number;
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
      resting = { firstAt, nextTryAt: next.at, held: next.held, reason };
      return next.at;
    },
    answered() {
      const hadRested = resting !== undefined;
      resting = undefined;
      return hadRested;
    },
    allowance(now, all) {
      if (!resting) return all;
      return now >= resting.nextTryAt ? 1 : 0;
    },
    state: () =>
      resting ? { state: resting.held ? 'held' : 'resting', since: resting.firstAt, nextTryAt: resting.nextTryAt, reason: resting.reason } : { state: 'awake' },
  };
}
