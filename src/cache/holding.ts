import { type Clock, every } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { type GroupIndex, HOLD_MS, type TakenGroup } from './group-index.ts';
import type { GroupId } from './segment-format.ts';
import type { Taker } from './taker.ts';

export interface HoldingParts {
  readonly workspaceId: WorkspaceId;
  readonly index: GroupIndex;
  readonly taker: Pick<Taker, 'withoutTaking'>;
  /** Groups with us, that the index must not think abandoned. */
  readonly held: () => readonly TakenGroup[];
  /** All that are with us or on their way back to the index. */
  readonly inFlight: () => ReadonlySet<GroupId>;
  /** Told of each group that is offered again. */
  readonly onStalled?: ((workspaceId: WorkspaceId) => void) | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Keeps hold of the groups in flight, and finds those that the index thinks taken but nobody works on. The function returned ends it. */
export function keepHold({ workspaceId, index, taker, held, inFlight, onStalled, clock, log }: HoldingParts): () => void {
  const takenByNobody = async (): Promise<GroupId[]> => (await index.takenIds()).filter((id) => !inFlight().has(id));

  // Redis may do what it was asked after we stopped waiting for its answer: a group is then taken by nobody, and nothing else would offer it again.
  const releaseLost = async (): Promise<void> => {
    if ((await takenByNobody()).length === 0) return;
    // One that is just being taken looks the same, so look again while none is.
    await taker.withoutTaking(async () => {
      for (const id of await takenByNobody()) {
        await index.release(id);
        onStalled?.(workspaceId);
        log.info({ workspaceId, group: id }, 'a group that nobody worked on any more is offered again');
      }
    });
  };

  return every(clock, HOLD_MS / 3, async () => {
    const groups = held();
    if (groups.length > 0) await index.extend(groups).catch(() => {});
    await releaseLost().catch(() => {});
  });
}
