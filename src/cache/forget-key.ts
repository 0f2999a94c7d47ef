import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Ledger } from './balance.ts';
import type { LossLedger } from './loss.ts';
import { lossOfMember } from './member-loss.ts';
import type { PayloadStore, StoredGroup } from './payload-store.ts';

export interface ForgetKeyParts {
  readonly store: Pick<PayloadStore, 'unopenableGroups' | 'describe' | 'markDone'>;
  readonly ledgerOf: (workspaceId: WorkspaceId) => Ledger | undefined;
  readonly losses: LossLedger;
  readonly log: Logger;
}

/** Gives up for good what a lost key sealed: entered in the loss ledger, counted as dropped. What is left when `signal` is aborted stays. */
export type ForgetKey = (keyId: string, signal: AbortSignal) => Promise<void>;

export function createForgetKey({ store, ledgerOf, losses, log }: ForgetKeyParts): ForgetKey {
  const giveUp = async ({ id, workspaceId, kind }: StoredGroup): Promise<number> => {
    const members = await store.describe(id);
    const lost = await Promise.all(members.map((member) => lossOfMember(member, { workspaceId, kind, reason: 'unreadable' })));
    const positions = members.map(({ position }) => position);
    await losses.enter(lost, { group: id, positions });
    // The books change in the same turn as the store.
    const bytes = lost.reduce((sum, one) => sum + one.bytes, 0);
    ledgerOf(workspaceId)?.add('dropped', kind, members.length, bytes);
    store.markDone(id, positions);
    return members.length;
  };

  return async (keyId, signal) => {
    let batches = 0;
    for (const group of store.unopenableGroups(keyId)) {
      if (signal.aborted) break;
      batches += await giveUp(group);
    }
    log.warn({ keyId, batches }, 'what a lost key sealed was given up; see: relay losses list');
  };
}
