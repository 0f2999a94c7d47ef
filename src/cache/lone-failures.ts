import type { Retry } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { nextTry, type RetrySchedule } from '../retry/schedule.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { GroupIndex, TakenGroup } from './group-index.ts';
import type { GroupId } from './segment-format.ts';

export interface LoneFailuresParts {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  readonly schedule: RetrySchedule;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when a group is due again and stands first in the index. */
  readonly onDue: () => void;
}

/** Groups that fail while others pass: each waits by the schedule, counted from its own first failure, and is then the next to be taken. */
export interface LoneFailures {
  /** Never rejects: a group that could not be delayed is found and offered again by the consumer. */
  delay(taken: TakenGroup, retry: Retry): Promise<void>;
  /** It is done: its next try and its history are forgotten. */
  forget(id: GroupId): void;
  /** Makes all of them due now. */
  retryNow(): void;
  /** Those whose next try is not due yet. */
  waiting(now: number): ReadonlySet<GroupId>;
  stop(): void;
}

export function createLoneFailures({ workspaceId, index, schedule, clock, log, onDue }: LoneFailuresParts): LoneFailures {
  const failing = new Map<GroupId, { readonly firstAt: number; readonly dueAt: number; readonly cancelTry: () => void }>();

  const bringForward = (id: GroupId): void => void index.bringForward(id).then(onDue, () => {});

  return {
    async delay(taken, retry) {
      const now = clock.now();
      const before = failing.get(taken.id);
      const firstAt = before?.firstAt ?? now;
      const { at } = nextTry({ firstAt, now, retryAfterMs: retry.retryAfterMs }, schedule);
      const facts = { workspaceId, group: taken.id, reason: retry.reason, nextTryAt: new Date(at).toISOString() };
      log.warn(facts, 'a group alone fails while others pass; it is tried again');
      before?.cancelTry();
      failing.set(taken.id, { firstAt, dueAt: at, cancelTry: clock.after(at - now, () => bringForward(taken.id)) });
      try {
        await index.delay(taken, at);
      } catch (error) {
        log.debug({ workspaceId, group: taken.id, reason: messageOf(error) }, 'a group could not be delayed; it is offered again when found to be lost');
      }
    },
    forget(id) {
      failing.get(id)?.cancelTry();
      failing.delete(id);
    },
    retryNow() {
      for (const [id, failure] of failing) {
        failure.cancelTry();
        failing.set(id, { ...failure, dueAt: 0 });
        bringForward(id);
      }
    },
    waiting: (now) => new Set([...failing].flatMap(([id, { dueAt }]) => (dueAt > now ? [id] : []))),
    stop() {
      for (const each of failing.values()) each.cancelTry();
    },
  };
}
