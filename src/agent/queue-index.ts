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
  /** The batch whose turn it is; it is not dropped until it is put back or forgotten. */
  take(): QueuedBatch | undefined;
  putBack(batch: QueuedBatch): void;
}

/** Makes an empty index that admits `limitBytes` at most. */
export function createQueueIndex(limitBytes: number): QueueIndex {
  const waiting = new Map<BatchId, QueuedBatch>();
  let usedBytes = 0;
  let turn = 0;
  let held: BatchId | undefined;

  const forget = (batch: QueuedBatch): void => {
    if (batch.id === held) held = undefined;
    if (waiting.delete(batch.id)) usedBytes -= batch.bytes;
  };
  return {
    usedBytes: () => usedBytes,
    admit(bytes, kind) {
      const droppable = [...waiting.values()].filter(({ id }) => id !== held);
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
    take() {
      turn += 1;
      const batch = (turn % TURNS_PER_HEARTBEAT === 0 ? newestHeartbeat(waiting.values()) : undefined) ?? oldest(waiting.values());
      held = batch?.id;
      return batch;
    },
    putBack(batch) {
      held = undefined;
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

function oldest(batches: Iterable<QueuedBatch>): QueuedBatch | undefined {
  let first: QueuedBatch | undefined;
  for (const batch of batches) {
    if (!first || roundOf(batch) < roundOf(first)) first = batch;
    if (roundOf(first) === 0) return first;
  }
  return first;
}

function newestHeartbeat(batches: Iterable<QueuedBatch>): QueuedBatch | undefined {
  let newest: QueuedBatch | undefined;
  for (const batch of batches) {
    if (batch.dataType === HEARTBEAT_TYPE && batch.attempts < TRIES_PER_ROUND) newest = batch;
  }
  return newest;
}

function roundOf(batch: QueuedBatch): number {
  return Math.floor(batch.attempts / TRIES_PER_ROUND);
}
