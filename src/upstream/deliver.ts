import type { Batch } from '../batch/batch.ts';
import type { Deliver, Verdict } from '../batch/verdict.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Transport } from './transport.ts';

export interface DeliverParts {
  readonly transports: ReadonlyMap<WorkspaceId, Transport>;
  /** Told of each batch's verdict, and after how many milliseconds it came. */
  readonly onVerdict: (batch: Batch, verdict: Verdict, ms: number) => void;
  readonly log: Logger;
}

/** Sends batches by their own workspace's transport, and by no other: a group that mixed workspaces would not be sent at all. */
export function createDeliver({ transports, onVerdict, log }: DeliverParts): Deliver {
  return async (batches, signal) => {
    const [first] = batches;
    const transport = first && transports.get(first.workspaceId);
    if (!first || !transport || batches.some((batch) => batch.workspaceId !== first.workspaceId)) {
      return batches.map(() => ({ outcome: 'retry', scope: 'batch', reason: 'no way upstream is configured for exactly this workspace' }));
    }
    const begin = performance.now();
    const verdicts = await transport.offer(batches, signal);
    const ms = performance.now() - begin;
    for (const [at, batch] of batches.entries()) {
      const verdict = verdicts[at];
      if (!verdict) continue;
      onVerdict(batch, verdict, ms);
      log.debug({ workspaceId: batch.workspaceId, batchId: batch.id, agentId: batch.agentId, ...factsOf(verdict) }, 'a batch was offered upstream');
    }
    return verdicts;
  };
}

// A log tells of data, it never holds any.
function factsOf(verdict: Verdict): object {
  return verdict.outcome === 'split' ? { ...verdict, refused: verdict.refused.length } : verdict;
}
