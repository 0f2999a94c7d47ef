import type { Batch } from '../batch/batch.ts';
import { type BatchId, createBatchId, type Random } from '../batch/batch-id.ts';
import { kindOf } from '../batch/kind.ts';
import type { PutOutcome } from '../cache/cache.ts';
import type { DeadLetterCause } from '../cache/dead-letters.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { DirectMarks } from '../routing/direct-marks.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Copies } from './copies.ts';
import type { RecordCounting } from './record-counting.ts';
import { createRepeats } from './repeats.ts';

/** A batch as a protocol read it from a request: everything but what the relay adds. A sender's own id is kept, so that its repeats can be recognised all the way up. */
export type Arrival = Pick<Batch, 'workspaceId' | 'agentId' | 'dataType' | 'solution' | 'origin' | 'body'> & {
  readonly id?: BatchId | undefined;
  /** The sender said that it keeps what is refused. */
  readonly hasOwnQueue?: boolean;
  /** The sender said that it has sent this before. */
  readonly saysRepeat?: boolean;
  /** The sender is an agent of ours: it can send straight to the workspace. */
  readonly canGoDirect?: boolean;
};

/** What becomes of data that should have gone straight to its workspace. */
export interface DirectAtRelay extends DirectMarks {
  /** Whether senders that can send it straight are refused. */
  readonly isRefused: boolean;
}

/** What intake needs of the cache. */
export interface Keeper {
  put(batch: Batch): Promise<PutOutcome>;
  putAside(batch: Batch, cause: DeadLetterCause): Promise<PutOutcome>;
  /** Whether a workspace has been out of reach for longer than the retry window. */
  isHeld(workspaceId: WorkspaceId): boolean;
}

export interface AcceptParts {
  readonly cache: Keeper;
  /** Milliseconds between tries: when a sender that is told to wait comes back at the earliest. */
  readonly retryEveryMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Told of each batch that was kept. */
  readonly onKept?: (batch: Batch) => void;
  readonly direct?: DirectAtRelay;
  /** What further workspaces get; nothing unless given. */
  readonly copies?: Copies | undefined;
  /** Counts records, where the operator wants that. */
  readonly counting?: RecordCounting | undefined;
  /** Told of each batch that was acknowledged, and how long that took, in milliseconds. */
  readonly onAcknowledged?: ((batch: Batch, ms: number) => void) | undefined;
  readonly log: Logger;
}

/** The use case all protocols share: a batch is kept, and only then acknowledged. */
export interface Accept {
  /** Keeps a batch for upstream. Throws `relay.cache.full`, `relay.cache.held`, `relay.cache.unavailable` or `relay.intake.direct-only` when it was not kept. */
  accept(arrival: Arrival): Promise<BatchId>;
  /** Puts aside a batch that nobody can make sense of, for an operator to look at. Throws as `accept`. */
  quarantine(arrival: Arrival, why: string): Promise<BatchId>;
}

export function createAccept({ cache, retryEveryMs, clock, random, metrics, onKept, direct, copies, counting, onAcknowledged, log }: AcceptParts): Accept {
  const repeats = createRepeats(clock.now, random);
  const batchOf = ({ hasOwnQueue: _, saysRepeat: __, canGoDirect: ___, ...arrival }: Arrival): Batch => {
    const receivedAt = clock.now();
    return { ...arrival, id: arrival.id ?? createBatchId(receivedAt, random), kind: kindOf(arrival.dataType, arrival.solution), receivedAt };
  };
  const orThrow = (batch: Batch, outcome: PutOutcome): BatchId => {
    if (outcome.outcome !== 'stored') throw new RelayError(`relay.cache.${outcome.outcome}`, `${outcome.message} The batch was not kept; send it again.`);
    const labels = { workspace: batch.workspaceId, kind: batch.kind };
    metrics.count('receivedBatches', labels);
    metrics.count('receivedBytes', labels, batch.body.length);
    onKept?.(batch);
    return batch.id;
  };

  // A repeat of what was acknowledged is acknowledged again, whatever else holds now.
  const onceOnly = async (arrival: Arrival, keep: () => Promise<BatchId>): Promise<BatchId> => {
    const first = repeats.firstOf(arrival);
    if (first === undefined) {
      const id = await keep();
      repeats.remember(arrival, id);
      return id;
    }
    metrics.count('repeats', { workspace: arrival.workspaceId });
    log.debug(
      { batchId: first, agentId: arrival.agentId, workspaceId: arrival.workspaceId },
      'an agent sent again what was acknowledged; it is not kept twice',
    );
    return first;
  };

  const isHeldEverywhere = (workspaceId: WorkspaceId): boolean => cache.isHeld(workspaceId) && (copies?.of(workspaceId).every(cache.isHeld) ?? true);

  // Those that would lose what is refused are still taken while there is room. So is what another workspace that is well gets a copy of.
  const refuseHeld = ({ workspaceId, hasOwnQueue }: Arrival): void => {
    if (!hasOwnQueue || !isHeldEverywhere(workspaceId)) return;
    const retryAfterS = Math.ceil((retryEveryMs * (1 + fraction(random))) / 1000);
    throw new RelayError('relay.cache.held', `Workspace ${workspaceId} cannot be reached. Keep the batch in your own queue; come back in ${retryAfterS} s.`, {
      retryAfterS,
    });
  };

  // A sender that cannot choose its way would lose what is refused here.
  const refuseDirect = ({ workspaceId, dataType, canGoDirect }: Arrival, solution: string): void => {
    if (!direct?.isRefused || !canGoDirect) return;
    throw new RelayError('relay.intake.direct-only', `${dataType} of ${solution} goes straight to workspace ${workspaceId}. Keep the batch and send it there.`);
  };

  const keepForUpstream = async (arrival: Arrival): Promise<BatchId> => {
    const directSolution = direct?.directSolutionOf(arrival);
    if (directSolution !== undefined) refuseDirect(arrival, directSolution);
    refuseHeld(arrival);
    const batch = batchOf(arrival);
    const begin = performance.now();
    const id = orThrow(batch, await cache.put(batch));
    await copies?.keep(batch);
    counting?.note(batch, [batch.workspaceId, ...(copies?.of(batch.workspaceId) ?? [])]);
    const ms = performance.now() - begin;
    metrics.observe('acknowledgement', {}, ms / 1000);
    onAcknowledged?.(batch, ms);
    if (directSolution !== undefined) metrics.count('directAtRelay', { workspace: batch.workspaceId, solution: directSolution });
    return id;
  };
  const putAside = async (arrival: Arrival, why: string): Promise<BatchId> => {
    const batch = batchOf(arrival);
    const id = orThrow(batch, await cache.putAside(batch, { reason: 'quarantined', answer: why }));
    metrics.count('quarantined', { reason: why });
    log.warn(
      { batchId: id, agentId: batch.agentId, workspaceId: batch.workspaceId, reason: why, bytes: batch.body.length },
      'a batch that cannot be read was put aside; look at it with: relay dead-letters show',
    );
    return id;
  };

  return {
    accept: (arrival) => onceOnly(arrival, () => keepForUpstream(arrival)),
    quarantine: (arrival, why) => onceOnly(arrival, () => putAside(arrival, why)),
  };
}

function fraction(random: Random): number {
  const bytes = Buffer.allocUnsafe(4);
  random(bytes);
  return bytes.readUInt32BE() / 2 ** 32;
}
