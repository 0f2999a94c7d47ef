import type { Batch } from '../batch/batch.ts';
import type { Kind } from '../batch/kind.ts';
import type { Refused, Retry, Split, Verdict } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Ledger } from './balance.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { LossLedger } from './loss.ts';
import { lossOfMember } from './member-loss.ts';
import type { PayloadStore, StoredMember, UnreadableMember } from './payload-store.ts';
import type { GroupId } from './segment-format.ts';

/** A member of a group with what upstream said of it. */
export interface Judged {
  readonly position: number;
  readonly batch: Batch;
  readonly verdict: Verdict;
}

export interface SettlementParts {
  readonly workspaceId: WorkspaceId;
  readonly store: PayloadStore;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  /** Writes down what is given up, before it is. */
  readonly enterLosses?: LossLedger['enter'] | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of records that became dead letters; a batch that nobody could open counts as one. */
  readonly onDeadRecords?: ((workspaceId: WorkspaceId, status: number, records: number) => void) | undefined;
  /** Told of each batch that the workspace took, with how long it had been ours, in milliseconds. */
  readonly onDelivered?: ((batch: Batch, afterMs: number) => void) | undefined;
}

/** Does with a group's members what was said of them. The books change in the same turn as the store, so that the balance holds at any moment. */
export interface Settlement {
  /** Gives up members that cannot be read; returns those that can. Rejects when the loss cannot be written down: then they stay. */
  readable(id: GroupId, members: readonly StoredMember[]): Promise<{ readonly position: number; readonly batch: Batch }[]>;
  /** Ends what is delivered or refused; returns what must be tried again. Rejects when a dead letter cannot be written: its batch stays cached. */
  settle(id: GroupId, judged: readonly Judged[]): Promise<Retry[]>;
}

export function createSettlement(parts: SettlementParts): Settlement {
  const { workspaceId, store, deadLetters, ledger, enterLosses, clock, log, onDeadRecords } = parts;
  const enterDelivered = (batch: Batch): void => {
    ledger.add('delivered', batch.kind, 1, batch.body.length);
    parts.onDelivered?.(batch, Math.max(0, clock.now() - batch.receivedAt));
  };

  const noteDelivered = (id: GroupId, judged: readonly Judged[]): void => {
    const delivered = judged.filter(({ verdict }) => verdict.outcome === 'delivered');
    for (const { batch } of delivered) enterDelivered(batch);
    const positions = delivered.map(({ position }) => position);
    store.markDone(id, positions);
  };

  const giveUp = async (id: GroupId, member: StoredMember, { message, bytes }: UnreadableMember): Promise<void> => {
    const { position } = member;
    log.error({ workspaceId, group: id, position, reason: message }, 'a stored batch cannot be opened; its bytes were set aside in the folder "damaged"');
    const loss = await lossOfMember(member, { workspaceId, kind: kindOf(id), reason: 'unreadable' });
    await enterLosses?.([loss], { group: id, positions: [position] });
    ledger.add('dropped', kindOf(id), 1, bytes);
    store.markDone(id, [position]);
  };

  const bury = async (batch: Batch, { status, answer }: Omit<Refused, 'outcome'>, records?: number): Promise<void> => {
    await deadLetters.put(batch, { reason: 'refused', status, answer, ...(records === undefined ? {} : { records }) }, clock.now());
    onDeadRecords?.(workspaceId, status, records ?? 1);
    log.warn(
      { workspaceId, batchId: batch.id, agentId: batch.agentId, status, answer, records },
      'the workspace refused data for its content; it is a dead letter now',
    );
  };

  // A batch is delivered when any of it was, so that the books stay whole in batches; its bad records are counted beside.
  const buryParts = async ({ deliveredRecords, refused }: Split): Promise<'delivered' | 'deadLettered'> => {
    for (const part of refused) await bury(part.batch, part, part.records);
    return deliveredRecords > 0 || refused.length === 0 ? 'delivered' : 'deadLettered';
  };

  return {
    async readable(id, members) {
      for (const member of members) if (!member.content.readable) await giveUp(id, member, member.content);
      return members.flatMap(({ position, content }) => (content.readable ? [{ position, batch: content.batch }] : []));
    },
    async settle(id, judged) {
      noteDelivered(id, judged);
      for (const { position, batch, verdict } of judged) {
        if (verdict.outcome !== 'refused' && verdict.outcome !== 'split') continue;
        const entry = verdict.outcome === 'split' ? await buryParts(verdict) : 'deadLettered';
        if (verdict.outcome === 'refused') await bury(batch, verdict);
        if (entry === 'delivered') enterDelivered(batch);
        else ledger.add(entry, batch.kind, 1, batch.body.length);
        store.markDone(id, [position]);
      }
      return judged.flatMap(({ verdict }) => (verdict.outcome === 'retry' ? [verdict] : []));
    },
  };
}

// `<kind>-<segment id>.<number>`
function kindOf(id: GroupId): Kind {
  return id.slice(0, id.indexOf('-')) as Kind;
}
