import type { Deliver, Verdict } from '../batch/verdict.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Transport } from './transport.ts';

export interface DeliverParts {
  readonly transports: ReadonlyMap<WorkspaceId, Transport>;
  /** Told of each batch's verdict. */
  readonly onVerdict: (workspaceId: WorkspaceId, verdict: Verdict) => void;
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
    const verdicts = await transport.offer(batches, signal);
    for (const [at, verdict] of verdicts.entries()) {
      onVerdict(first.workspaceId, verdict);
      log.debug(
        { workspaceId: first.workspaceId, batchId: batches[at]?.id, agentId: batches[at]?.agentId, ...factsOf(verdict) },
        'a batch was offered upstream',
      );
    }
    return verdicts;
  };
}

// A log tells of data, it never holds any.
function factsOf(verdict: Verdict): object {
  return verdict.outcome === 'split' ? { ...verdict, refused: verdict.refused.length } : verdict;
}
