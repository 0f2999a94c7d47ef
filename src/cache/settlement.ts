import type { Batch } from '../batch/batch.ts';
import type { Kind } from '../batch/kind.ts';
import type { Refused, Retry, Verdict } from '../batch/verdict.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Ledger } from './balance.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { PayloadStore, StoredMember } from './payload-store.ts';
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
  readonly clock: Clock;
  readonly log: Logger;
}

/** Does with a group's members what was said of them. The books change in the same turn as the store, so that the balance holds at any moment. */
export interface Settlement {
  /** Sorts out members that cannot be read; returns those that can. */
  readable(id: GroupId, members: readonly StoredMember[]): { readonly position: number; readonly batch: Batch }[];
  /** Ends what is delivered or refused; returns what must be tried again. Rejects when a dead letter cannot be written: its batch stays cached. */
  settle(id: GroupId, judged: readonly Judged[]): Promise<Retry[]>;
}

export function createSettlement({ workspaceId, store, deadLetters, ledger, clock, log }: SettlementParts): Settlement {
  const noteDelivered = (id: GroupId, judged: readonly Judged[]): void => {
    const delivered = judged.filter(({ verdict }) => verdict.outcome === 'delivered');
    for (const { batch } of delivered) ledger.add('delivered', batch.kind, 1, batch.body.length);
    const positions = delivered.map(({ position }) => position);
    store.markDone(id, positions);
  };

  const bury = async (batch: Batch, { status, answer }: Refused): Promise<void> => {
    await deadLetters.put(batch, { reason: 'refused', status, answer }, clock.now());
    log.warn(
      { workspaceId, batchId: batch.id, agentId: batch.agentId, status, answer },
      'the workspace refused a batch for its content; it is a dead letter now',
    );
  };

  return {
    readable(id, members) {
      return members.flatMap(({ position, content }) => {
        if (content.readable) return [{ position, batch: content.batch }];
        log.error(
          { workspaceId, group: id, position, reason: content.message },
          'a stored batch cannot be opened; its bytes were set aside in the folder "damaged"',
        );
        ledger.add('dropped', kindOf(id), 1, content.bytes);
        store.markDone(id, [position]);
        return [];
      });
    },
    async settle(id, judged) {
      noteDelivered(id, judged);
      for (const { position, batch, verdict } of judged) {
        if (verdict.outcome !== 'refused') continue;
        await bury(batch, verdict);
        ledger.add('deadLettered', batch.kind, 1, batch.body.length);
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
