import { type Clock, every } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { KeptTables } from './kept-tables.ts';
import type { RetentionByTable } from './retention-policy.ts';

/** Soon after the start, when what comes first is done. */
const FIRST_AFTER_MS = 60_000;
const EVERY_MS = 3_600_000;

export interface TrimmingParts {
  readonly workspaceId: WorkspaceId;
  readonly tables: Pick<KeptTables, 'trim' | 'cool'>;
  /** The retention in force at this time. */
  readonly retentionAt: (now: number) => RetentionByTable;
  /** Days on the fast disk; undefined where there is none. */
  readonly hotDays: number | undefined;
  /** Told how many rows left. */
  readonly onTrimmed: (rows: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Milliseconds between two rounds, an hour unless given. */
  readonly everyMs?: number | undefined;
}

/** Removes what is past its retention, and moves what is no longer new, soon and then every hour. The function returned ends it. */
export function startTrimming({ everyMs = EVERY_MS, ...parts }: TrimmingParts): () => void {
  const round = async (): Promise<void> => {
    await logged(parts, 'rows past their retention could not be removed; it is tried again at the next round', () => trimOnce(parts));
    await logged(parts, 'rows could not be moved off the fast disk; it is tried again at the next round', () => coolOnce(parts));
  };
  let stopRounds = (): void => {};
  const cancelFirst = parts.clock.after(FIRST_AFTER_MS, () => {
    stopRounds = every(parts.clock, everyMs, round);
    void round();
  });
  return () => {
    cancelFirst();
    stopRounds();
  };
}

async function trimOnce({ workspaceId, tables, retentionAt, onTrimmed, clock, log }: TrimmingParts): Promise<void> {
  const now = clock.now();
  const { removed } = await tables.trim({ ...retentionAt(now), now });
  onTrimmed(removed);
  if (removed > 0) log.info({ workspaceId, rows: removed }, 'rows past their retention were removed');
}

async function coolOnce({ tables, hotDays, clock }: TrimmingParts): Promise<void> {
  if (hotDays !== undefined) await tables.cool({ hotDays, now: clock.now() });
}

async function logged({ workspaceId, log }: TrimmingParts, message: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (cause) {
    log.warn({ workspaceId, reason: messageOf(cause) }, message);
  }
}
