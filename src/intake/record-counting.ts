/** Counts the records of what was acknowledged, afterwards and elsewhere: nobody waits for it, and what cannot be kept up with is said to be uncounted. */
import type { Batch } from '../batch/batch.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

/** Bodies that wait to be counted stay in memory; beyond this they are not counted. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

export interface RecordCountingParts {
  /** How many records a batch holds; undefined when it cannot be read. It may take its time. */
  readonly countIn: (batch: Batch) => Promise<number | undefined>;
  readonly metrics: Metrics;
  readonly maxWaitingBytes?: number;
}

export interface RecordCounting {
  /** Has a batch counted, for each of the workspaces that it was kept for. Never throws. */
  note(batch: Batch, workspaces: readonly WorkspaceId[]): void;
}

export function createRecordCounting({ countIn, metrics, maxWaitingBytes = MAX_WAITING_BYTES }: RecordCountingParts): RecordCounting {
  let waitingBytes = 0;

  const countLater = async (batch: Batch, workspaces: readonly WorkspaceId[]): Promise<void> => {
    const records = await countIn(batch).catch(() => undefined);
    for (const workspace of workspaces) {
      if (records === undefined) metrics.count('uncountedBatches', { workspace });
      else metrics.count('receivedRecords', { workspace, kind: batch.kind }, records);
    }
  };

  return {
    note(batch, workspaces) {
      const { length } = batch.body;
      if (waitingBytes + length > maxWaitingBytes) {
        for (const workspace of workspaces) metrics.count('uncountedBatches', { workspace });
        return;
      }
      waitingBytes += length;
      void countLater(batch, workspaces).finally(() => {
        waitingBytes -= length;
      });
    },
  };
}
