import { type Clock, every } from '../clock.ts';
import type { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Consumer } from './consumer.ts';
import type { GroupIndex } from './group-index.ts';
import { createWatchdog } from './watchdog.ts';

const CHECK_EVERY_MS = 60_000;

export interface KeepMovingParts {
  readonly workspaceId: WorkspaceId;
  readonly afterMs: number;
  readonly consumer: Consumer;
  readonly index: Pick<GroupIndex, 'addCanary' | 'reconnect'>;
  readonly isRedisThere: () => boolean;
  readonly onReconnect: (workspaceId: WorkspaceId) => void;
  readonly onStuck: (error: RelayError) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Watches one workspace's consumer, every minute; the function returned ends it. */
export function keepMoving({ workspaceId, afterMs, consumer, index, isRedisThere, onReconnect, onStuck, clock, log }: KeepMovingParts): () => void {
  const watchdog = createWatchdog({
    workspaceId,
    afterMs,
    checkEveryMs: CHECK_EVERY_MS,
    progress: () => consumer.progress().count,
    mustMove: () => isRedisThere() && consumer.mustMove(),
    async sendCanary() {
      await index.addCanary().then(consumer.wake, () => {});
    },
    reconnect() {
      onReconnect(workspaceId);
      index.reconnect();
      consumer.wake();
    },
    onStuck,
    log,
  });
  return every(clock, CHECK_EVERY_MS, watchdog.check);
}
