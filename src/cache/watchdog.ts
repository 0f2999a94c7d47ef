import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

export interface WatchdogParts {
  readonly workspaceId: WorkspaceId;
  /** How long nothing may move. Counted in checks, not by the clock, which may be set. */
  readonly afterMs: number;
  readonly checkEveryMs: number;
  /** A figure that grows with everything the consumer brings to an end. */
  readonly progress: () => number;
  /** Whether something must move now: the workspace answers, nobody paused it, Redis is there. */
  readonly mustMove: () => boolean;
  /** Gives even an idle consumer something to take. Never rejects. */
  readonly sendCanary: () => Promise<void>;
  /** Makes the connection anew by which groups are taken. */
  readonly reconnect: () => void;
  /** Nothing more can be done in this process. */
  readonly onStuck: (error: RelayError) => void;
  readonly log: Logger;
}

/**
 * Sees to it that a workspace's consumer consumes. Each check puts a canary into the index, which the consumer takes and forgets; so an idle
 * relay, too, proves every minute that it would deliver. If nothing moves for `afterMs` although it should,
 * the connection is made anew, once; after as long again the process must end, for its keeper to start it afresh.
 */
export interface Watchdog {
  check(): Promise<void>;
}

export function createWatchdog(parts: WatchdogParts): Watchdog {
  const { workspaceId, afterMs, checkEveryMs, log } = parts;
  let seen = parts.progress();
  let stillMs = 0;
  let hasReconnected = false;

  const bark = (): void => {
    stillMs = 0;
    if (hasReconnected) {
      const text = `Nothing has moved to workspace ${workspaceId} for ${(2 * afterMs) / 60_000} minutes although it answers. The process ends to be started afresh; no data is lost.`;
      parts.onStuck(new RelayError('relay.cache.stuck', text));
      return;
    }
    hasReconnected = true;
    log.error({ workspaceId, minutes: afterMs / 60_000 }, 'nothing moves although the workspace answers; the connection that takes groups is made anew');
    parts.reconnect();
  };

  return {
    async check() {
      const progress = parts.progress();
      const mustMove = parts.mustMove();
      const isStill = mustMove && progress === seen;
      seen = progress;
      stillMs = isStill ? stillMs + checkEveryMs : 0;
      if (!isStill) hasReconnected = false;
      if (stillMs >= afterMs) bark();
      if (mustMove) await parts.sendCanary();
    },
  };
}
