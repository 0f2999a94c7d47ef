/**
 * A copy of a batch that its own workspace has already. Nobody may be refused because of another workspace's room: a copy that has none is given
 * up, in the loss ledger first, and in the books of the workspace it was meant for. A disk or a Redis that does not take it is everybody's trouble:
 * then its agent is refused and sends again.
 */
import type { Batch } from '../batch/batch.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Ledger } from './balance.ts';
import type { PutOutcome } from './cache.ts';
import type { Loss, LossLedger } from './loss.ts';
import { countRecords } from './record-count.ts';

/** What became of a copy. */
export type CopyOutcome =
  | PutOutcome
  /** There was no room for it; the loss ledger has it. */
  | { readonly outcome: 'lost' };

export type PutCopy = (copy: Batch) => Promise<CopyOutcome>;

export interface PutCopyParts {
  readonly put: (batch: Batch) => Promise<PutOutcome>;
  /** Why nothing of any workspace can be taken now; undefined when all is well. */
  readonly obstacle: () => string | undefined;
  readonly ledgerOf: (workspaceId: WorkspaceId) => Ledger | undefined;
  readonly losses: Pick<LossLedger, 'enter'>;
  readonly log: Logger;
}

export function createPutCopy({ put, obstacle, ledgerOf, losses, log }: PutCopyParts): PutCopy {
  const enter = createGathered(losses.enter);
  /** Workspaces that had no room for the last copy: said once, not for each. */
  const full = new Set<WorkspaceId>();

  const giveUp = async (copy: Batch, message: string): Promise<CopyOutcome> => {
    const { workspaceId, kind, body } = copy;
    if (!full.has(workspaceId)) log.warn({ workspaceId, reason: message }, 'copies for a workspace are given up, because there is no room for them');
    full.add(workspaceId);
    try {
      await enter(await lossOf(copy));
    } catch (error) {
      return { outcome: 'unavailable', message: `A copy has no room, and the loss ledger cannot be written: ${messageOf(error)}.` };
    }
    const ledger = ledgerOf(workspaceId);
    ledger?.add('received', kind, 1, body.length);
    ledger?.add('dropped', kind, 1, body.length);
    return { outcome: 'lost' };
  };

  return async (copy) => {
    const outcome = await put(copy);
    if (outcome.outcome === 'full' && obstacle() === undefined) return await giveUp(copy, outcome.message);
    if (outcome.outcome === 'stored' && full.delete(copy.workspaceId)) {
      log.info({ workspaceId: copy.workspaceId }, 'there is room for copies again; see: relay losses list');
    }
    return outcome;
  };
}

async function lossOf(copy: Batch): Promise<Loss> {
  const { workspaceId, kind, dataType, agentId, receivedAt, body } = copy;
  const facts = { workspaceId, kind, dataType, agentId, batches: 1, bytes: body.length, firstAt: receivedAt, lastAt: receivedAt };
  return { ...facts, reason: 'no-room-for-copy', records: await countRecords(copy) };
}

/** Losses that come while others are being written go together: one sync for all of them, so that a flood is as fast as the disk lets it be. */
function createGathered(enter: LossLedger['enter']): (loss: Loss) => Promise<void> {
  let gathering: { readonly losses: Loss[]; readonly entered: Promise<void> } | undefined;
  let last: Promise<void> = Promise.resolve();

  const begin = (): NonNullable<typeof gathering> => {
    const losses: Loss[] = [];
    const entered = last.then(() => {
      gathering = undefined;
      return enter(losses);
    });
    last = entered.catch(() => {});
    return { losses, entered };
  };
  return (loss) => {
    gathering ??= begin();
    gathering.losses.push(loss);
    return gathering.entered;
  };
}
