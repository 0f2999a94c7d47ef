import type { Batch } from '../batch/batch.ts';
import { type BatchId, createBatchId, type Random } from '../batch/batch-id.ts';
import { kindOf } from '../batch/kind.ts';
import type { PutOutcome } from '../cache/cache.ts';
import type { DeadLetterCause } from '../cache/dead-letters.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/catalogue.ts';

/** A batch as a protocol read it from a request: everything but what the relay adds. A sender's own id is kept, so that its repeats can be recognised all the way up. */
export type Arrival = Pick<Batch, 'workspaceId' | 'agentId' | 'dataType' | 'solution' | 'origin' | 'body'> & { readonly id?: BatchId | undefined };

/** What intake needs of the cache. */
export interface Keeper {
  put(batch: Batch): Promise<PutOutcome>;
  putAside(batch: Batch, cause: DeadLetterCause): Promise<PutOutcome>;
}

export interface AcceptParts {
  readonly cache: Keeper;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** The use case all protocols share: a batch is kept, and only then acknowledged. */
export interface Accept {
  /** Keeps a batch for upstream. Throws `relay.cache.full` or `relay.cache.unavailable` when it was not kept. */
  accept(arrival: Arrival): Promise<BatchId>;
  /** Puts aside a batch that nobody can make sense of, for an operator to look at. Throws as `accept`. */
  quarantine(arrival: Arrival, why: string): Promise<BatchId>;
}

export function createAccept({ cache, clock, random, metrics, log }: AcceptParts): Accept {
  const batchOf = (arrival: Arrival): Batch => {
    const receivedAt = clock.now();
    return { ...arrival, id: arrival.id ?? createBatchId(receivedAt, random), kind: kindOf(arrival.dataType, arrival.solution), receivedAt };
  };
  const orThrow = (batch: Batch, outcome: PutOutcome): BatchId => {
    if (outcome.outcome !== 'stored') throw new RelayError(`relay.cache.${outcome.outcome}`, `${outcome.message} The batch was not kept; send it again.`);
    const labels = { workspace: batch.workspaceId, kind: batch.kind };
    metrics.count('receivedBatches', labels);
    metrics.count('receivedBytes', labels, batch.body.length);
    return batch.id;
  };

  return {
    async accept(arrival) {
      const batch = batchOf(arrival);
      const begin = performance.now();
      const outcome = await cache.put(batch);
      metrics.observe('acknowledgement', {}, (performance.now() - begin) / 1000);
      return orThrow(batch, outcome);
    },
    async quarantine(arrival, why) {
      const batch = batchOf(arrival);
      const id = orThrow(batch, await cache.putAside(batch, { reason: 'quarantined', answer: why }));
      metrics.count('quarantined', { reason: why });
      log.warn(
        { batchId: id, agentId: batch.agentId, workspaceId: batch.workspaceId, reason: why, bytes: batch.body.length },
        'a batch that cannot be read was put aside; look at it with: relay dead-letters show',
      );
      return id;
    },
  };
}
