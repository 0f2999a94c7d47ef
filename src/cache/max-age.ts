import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { GivingUp } from './giving-up.ts';
import type { PayloadStore } from './payload-store.ts';

const HOUR_MS = 3_600_000;
const CHECK_EVERY_MS = 60_000;
/** The service replaces the time of records older than this by that of their arrival. */
const WARN_AFTER_MS = 48 * HOUR_MS;
/** How far the clock may be off after a minute; more means that it was set, or that the machine slept. */
const CLOCK_MAY_JUMP_MS = 10 * 60_000;

export interface MaxAgeParts {
  readonly workspaceId: WorkspaceId;
  readonly maxAgeMs: number;
  readonly store: Pick<PayloadStore, 'oldestAt' | 'outstanding'>;
  readonly givingUp: Pick<GivingUp, 'giveUp'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Gives up what waited for too long, and warns well before. For an hour after the start, and after the clock was set, nothing is given up:
 * a wrong clock must not cost a week's data, and what a relay that was off still has gets its chance to be delivered.
 */
export interface MaxAge {
  /** Whether something waits that the service will give another time than its own. */
  isGettingOld(): boolean;
  stop(): void;
}

export function watchMaxAge({ workspaceId, maxAgeMs, store, givingUp, clock, log }: MaxAgeParts): MaxAge {
  let expectedAt = clock.now() + CHECK_EVERY_MS;
  let notBefore = clock.now() + HOUR_MS;
  let hasWarned = false;

  const ageMs = (): number => clock.now() - (store.oldestAt(workspaceId) ?? clock.now());
  const isGettingOld = (): boolean => ageMs() >= WARN_AFTER_MS;

  const noteClock = (): void => {
    const now = clock.now();
    if (Math.abs(now - expectedAt) > CLOCK_MAY_JUMP_MS) notBefore = now + HOUR_MS;
    expectedAt = now + CHECK_EVERY_MS;
  };

  const warn = (): void => {
    const isOld = isGettingOld();
    if (isOld && !hasWarned) {
      const facts = { workspaceId, oldestHours: Math.floor(ageMs() / HOUR_MS), maxAgeHours: maxAgeMs / HOUR_MS };
      log.warn(facts, 'data has waited for more than 48 hours: the service will give it the time of its arrival; at cache.maxAge it is given up');
    }
    hasWarned = isOld;
  };

  const giveUpOld = async (): Promise<void> => {
    const before = clock.now() - maxAgeMs;
    const old = store.outstanding(workspaceId).filter(({ oldestAt }) => oldestAt < before);
    await givingUp.giveUp(old, 'too-old');
  };

  const check = async (): Promise<void> => {
    noteClock();
    warn();
    if (ageMs() <= maxAgeMs || clock.now() < notBefore) return;
    await giveUpOld().catch((error: unknown) => log.error({ workspaceId, reason: messageOf(error) }, 'data that is too old could not be given up; it stays'));
  };

  return { isGettingOld, stop: every(clock, CHECK_EVERY_MS, check) };
}
