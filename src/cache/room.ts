/**
 * Room for one more batch. What does not fit drops older data of lower kinds, of its own workspace only: a flood of one workspace must never cost
 * another its data, so a workspace with nothing lower is refused even while others hold a lot.
 */
import type { Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Admission, Admitted } from './admission.ts';
import { chooseDrops } from './drop-order.ts';
import type { GivingUp } from './giving-up.ts';
import type { PayloadStore } from './payload-store.ts';

export interface RoomParts {
  readonly admission: Admission;
  readonly dropOrder: readonly Kind[];
  readonly store: Pick<PayloadStore, 'groupsOf'>;
  readonly givingUpOf: (workspaceId: WorkspaceId) => GivingUp | undefined;
}

export interface Room {
  /** Holds room for `bytes` until `release`, dropping what must go for it. Rejects when the loss ledger cannot be written: then nothing was dropped. */
  make(workspaceId: WorkspaceId, kind: Kind, bytes: number): Promise<Admitted>;
}

export function createRoom({ admission, dropOrder, store, givingUpOf }: RoomParts): Room {
  /** One at a time in a workspace, so that no more goes than is needed. */
  const turns = new Map<WorkspaceId, Promise<unknown>>();

  const makeInTurn = async (workspaceId: WorkspaceId, kind: Kind, bytes: number): Promise<Admitted> => {
    for (;;) {
      const admitted = admission.admit(workspaceId, bytes);
      if (admitted.admitted || admitted.missingBytes === undefined) return admitted;
      const givingUp = givingUpOf(workspaceId);
      const mayGo = givingUp?.mayGo ?? (() => false);
      const groupsOf = (lower: Kind): ReturnType<PayloadStore['groupsOf']> => store.groupsOf(workspaceId, lower);
      const drops = chooseDrops({ order: dropOrder, kind, bytesNeeded: admitted.missingBytes, groupsOf, mayGo });
      // What was chosen may have gone upstream before it could be given up: then there is room, or others are chosen.
      if (!givingUp || !drops) return admitted;
      await givingUp.giveUp(drops, 'cache-full');
    }
  };

  return {
    make(workspaceId, kind, bytes) {
      const admitted = admission.admit(workspaceId, bytes);
      if (admitted.admitted || admitted.missingBytes === undefined) return Promise.resolve(admitted);
      const turn = (turns.get(workspaceId) ?? Promise.resolve()).then(() => makeInTurn(workspaceId, kind, bytes));
      turns.set(
        workspaceId,
        turn.catch(() => {}),
      );
      return turn;
    },
  };
}
