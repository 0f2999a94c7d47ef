import type { BatchId } from '../batch/batch-id.ts';
import { KINDS, type Kind } from '../batch/kind.ts';
import type { QueueName } from './queue-file.ts';

/** A batch that failed this often steps behind those that failed less, so that it alone cannot stop the rest. */
const TRIES_PER_ROUND = 8;
/** One turn in so many goes to the newest sign of life, so that a long queue does not make the machine look dead. */
const TURNS_PER_HEARTBEAT = 8;

/** The data type of the agent's sign of life. */
export const HEARTBEAT_TYPE = 'HEALTH_ASSESSMENT_BLOB';

/** A batch in the queue. */
export interface QueuedBatch extends QueueName {
  /** What it takes of the disk, in bytes. */
  readonly bytes: number;
  /** Attempts that came before the next one. */
  readonly attempts: number;
}

/** What waits, in memory: which batch is next, and which ones go when there is no room. Touches no file. */
export interface QueueIndex {
  /** Bytes of all batches, and of those that were admitted and are being written. */
  usedBytes(): number;
  /** Takes room for a batch, and forgets the batches that must go for it; undefined when it must go itself. */
  admit(bytes: number, kind: Kind): readonly QueuedBatch[] | undefined;
  /** Gives room back that was not used. */
  giveBack(bytes: number): void;
  /** Adds a batch whose bytes are counted already. */
  add(batch: QueuedBatch): void;
  /** Adds a batch that was there before, and its bytes. */
  restore(batch: QueuedBatch): void;
  forget(batch: QueuedBatch): void;
  /**
   * Turns among the batches that `mayTake` says yes to when they are asked for: the batch whose turn it is. It is neither dropped nor
   * given to another until it is put back or forgotten.
   */
  turns(mayTake: (batch: QueuedBatch) => boolean): () => QueuedBatch | undefined;
  /** From now on so much is admitted; what is there already stays. */
  limit(bytes: number): void;
  putBack(batch: QueuedBatch): void;
}

/** Makes an empty index that admits `atMostBytes`. */
export function createQueueIndex(atMostBytes: number): QueueIndex {
  const waiting = new Map<BatchId, QueuedBatch>();
  const held = new Set<BatchId>();
  let limitBytes = atMostBytes;
  let usedBytes = 0;

  const forget = (batch: QueuedBatch): void => {
    held.delete(batch.id);
    if (waiting.delete(batch.id)) usedBytes -= batch.bytes;
  };
  return {
    usedBytes: () => usedBytes,
    admit(bytes, kind) {
      const droppable = [...waiting.values()].filter(({ id }) => !held.has(id));
      const victims = victimsFor(droppable, usedBytes + bytes - limitBytes, kind);
      if (!victims) return undefined;
      victims.forEach(forget);
      usedBytes += bytes;
      return victims;
    },
    giveBack(bytes) {
      usedBytes -= bytes;
    },
    add: (batch) => void waiting.set(batch.id, batch),
    restore(batch) {
      waiting.set(batch.id, batch);
      usedBytes += batch.bytes;
    },
    forget,
    turns(mayTake) {
      const isFree = (batch: QueuedBatch): boolean => !held.has(batch.id) && mayTake(batch);
      let turn = 0;
      return () => {
        turn += 1;
        const batch = (turn % TURNS_PER_HEARTBEAT === 0 ? newestHeartbeat(waiting.values(), isFree) : undefined) ?? oldest(waiting.values(), isFree);
        if (batch) held.add(batch.id);
        return batch;
      };
    },
    limit(bytes) {
      limitBytes = bytes;
    },
    putBack(batch) {
      held.delete(batch.id);
      // Setting a key again keeps its place in the order.
      if (waiting.has(batch.id)) waiting.set(batch.id, { ...batch, attempts: batch.attempts + 1 });
    },
  };
}

// Kinds in their order of dropping up to the newcomer's own, the oldest of a kind first; undefined when all of them are not enough.
function victimsFor(droppable: readonly QueuedBatch[], neededBytes: number, kind: Kind): QueuedBatch[] | undefined {
  const victims: QueuedBatch[] = [];
  let freedBytes = 0;
  for (const lowest of KINDS.slice(0, KINDS.indexOf(kind) + 1)) {
    for (const batch of droppable) {
      if (freedBytes >= neededBytes) return victims;
      if (batch.kind !== lowest) continue;
      victims.push(batch);
      freedBytes += batch.bytes;
    }
  }
  return freedBytes >= neededBytes ? victims : undefined;
}

function oldest(batches: Iterable<QueuedBatch>, isFree: (batch: QueuedBatch) => boolean): QueuedBatch | undefined {
  let first: QueuedBatch | undefined;
  for (const batch of batches) {
    if (!isFree(batch)) continue;
    if (!first || roundOf(batch) < roundOf(first)) first = batch;
    if (roundOf(first) === 0) return first;
  }
  return first;
}

function newestHeartbeat(batches: Iterable<QueuedBatch>, isFree: (batch: QueuedBatch) => boolean): QueuedBatch | undefined {
  let newest: QueuedBatch | undefined;
  for (const batch of batches) {
    if (batch.dataType === HEARTBEAT_TYPE && batch.attempts < TRIES_PER_ROUND && isFree(batch)) newest = batch;
  }
  return newest;
}

function roundOf(batch: QueuedBatch): number {
  return Math.floor(batch.attempts / TRIES_PER_ROUND);
}
