/**
 * The same data for further workspaces. Each copy is a batch of its own, with its own id, put into the cache after the batch itself: a batch that
 * its own workspace has no room for is refused, and leaves no copies behind. Copies are not copied on.
 */
import type { Batch } from '../batch/batch.ts';
import { copyId } from '../batch/batch-id.ts';
import type { PutCopy } from '../cache/put-copy.ts';
import { RelayError } from '../errors.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

export interface Copies {
  /** The workspaces that get a copy of this one's data. */
  of(workspaceId: WorkspaceId): readonly WorkspaceId[];
  /** Resolves when every copy is on stable storage or, for lack of room, in the loss ledger. Throws as `accept` when the cache did not take one. */
  keep(batch: Batch): Promise<void>;
}

export interface CopiesParts {
  readonly copyTo: ReadonlyMap<WorkspaceId, readonly WorkspaceId[]>;
  readonly putCopy: PutCopy;
  readonly metrics: Metrics;
}

export function createCopies({ copyTo, putCopy, metrics }: CopiesParts): Copies {
  const of: Copies['of'] = (workspaceId) => copyTo.get(workspaceId) ?? [];

  const keepOne = async (batch: Batch, workspaceId: WorkspaceId): Promise<void> => {
    const outcome = await putCopy({ ...batch, workspaceId, id: copyId(batch.id, workspaceId) });
    if (outcome.outcome !== 'stored' && outcome.outcome !== 'lost') {
      throw new RelayError(
        `relay.cache.${outcome.outcome}`,
        `The copy for workspace ${workspaceId} was not kept: ${outcome.message} Send the batch again; its own workspace may get it twice.`,
      );
    }
    const labels = { workspace: workspaceId, kind: batch.kind };
    metrics.count('receivedBatches', labels);
    metrics.count('receivedBytes', labels, batch.body.length);
  };

  return {
    of,
    async keep(batch) {
      const kept = await Promise.allSettled(of(batch.workspaceId).map((workspaceId) => keepOne(batch, workspaceId)));
      for (const one of kept) if (one.status === 'rejected') throw one.reason;
    },
  };
}
