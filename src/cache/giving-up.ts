import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount, Ledger } from './balance.ts';
import type { Consumer } from './consumer.ts';
import type { GroupIndex } from './group-index.ts';
import type { Loss, LossLedger, LossReason } from './loss.ts';
import { lossOfMember } from './member-loss.ts';
import type { PayloadStore, StoredGroup, StoredMember } from './payload-store.ts';
import type { GroupId } from './segment-format.ts';

/** Groups given up before the consumer may take again. */
const HELD_AT_ONCE = 8;
const NOTHING: Amount = { batches: 0, bytes: 0 };

export interface GivingUpParts {
  readonly workspaceId: WorkspaceId;
  readonly store: PayloadStore;
  readonly index: GroupIndex;
  readonly consumer: Pick<Consumer, 'inFlight' | 'withdrawn' | 'withoutTaking'>;
  readonly ledger: Ledger;
  readonly losses: LossLedger;
  /** Whether a group is stored but not acknowledged yet: it is not ours to drop. */
  readonly isIndexing: (id: GroupId) => boolean;
  readonly log: Logger;
}

/** Gives up one workspace's stored groups: entered in the loss ledger, counted as dropped, taken out of store and index. */
export interface GivingUp {
  /** Whether a group could be given up now: it is acknowledged, and not in flight upstream. */
  mayGo(group: Pick<StoredGroup, 'id'>): boolean;
  /**
   * Gives up groups, whole or those members that `isMeant` picks. Returns what was given up: what is in flight upstream stays, and so does what is
   * gone already. Rejects when the ledger cannot be written: then everything not given up by then stays.
   */
  giveUp(groups: readonly Pick<StoredGroup, 'id' | 'kind'>[], reason: LossReason, isMeant?: (member: StoredMember) => boolean): Promise<Amount>;
}

export function createGivingUp({ workspaceId, store, index, consumer, ledger, losses, isIndexing, log }: GivingUpParts): GivingUp {
  const mayGo = ({ id }: Pick<StoredGroup, 'id'>): boolean => !isIndexing(id) && !consumer.inFlight().has(id);

  const giveUpOne = async ({ id, kind }: Pick<StoredGroup, 'id' | 'kind'>, reason: LossReason, isMeant: (member: StoredMember) => boolean): Promise<Amount> => {
    const members = mayGo({ id }) ? ((await store.read(id)) ?? []).filter(isMeant) : [];
    if (members.length === 0) return NOTHING;
    const lost: Loss[] = [];
    // One after another: each may inflate to some megabytes.
    for (const member of members) lost.push(await lossOfMember(member, { workspaceId, kind, reason }));
    const positions = members.map(({ position }) => position);
    await losses.enter(lost, { group: id, positions });
    // The books change in the same turn as the store.
    const bytes = lost.reduce((of, one) => of + one.bytes, 0);
    ledger.add('dropped', kind, members.length, bytes);
    store.markDone(id, positions);
    // An entry that stays behind in the index is removed when it is met.
    if (!store.has(id)) {
      consumer.withdrawn(id);
      await index.remove(id).catch(() => {});
    }
    return { batches: members.length, bytes };
  };

  return {
    mayGo,
    async giveUp(groups, reason, isMeant = () => true) {
      let total = NOTHING;
      for (let start = 0; start < groups.length; start += HELD_AT_ONCE) {
        await consumer.withoutTaking(async () => {
          for (const group of groups.slice(start, start + HELD_AT_ONCE)) total = sum(total, await giveUpOne(group, reason, isMeant));
        });
      }
      if (total.batches > 0) log.warn({ workspaceId, reason, ...total }, 'data was given up; see: relay losses list');
      return total;
    },
  };
}

function sum(one: Amount, other: Amount): Amount {
  return { batches: one.batches + other.batches, bytes: one.bytes + other.bytes };
}
