/**
 * The agent's own queue: one file per batch, so that a restart loses nothing and a full queue drops single batches. The folder is the
 * truth; the index in memory is rebuilt from it at start. Waiting batches never take more of the disk than the limit.
 */
import { createBatchId, type Random } from '../batch/batch-id.ts';
import { type Kind, kindOf } from '../batch/kind.ts';
import type { Route } from '../check-in/agent-configuration.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { QueueCounts } from './queue-counts.ts';
import { readQueueName, writeQueueName } from './queue-file.ts';
import { openQueueFolder, type QueueFolder } from './queue-folder.ts';
import { createQueueIndex, type QueuedBatch, type QueueIndex } from './queue-index.ts';
import { type Collection, type UploadBody, writeUploadBodies } from './upload-body.ts';

/** What of the queue goes one way: for one sender. */
export interface Lane {
  /** The batch whose turn it is; undefined when nothing waits. It is held until it is put back, acknowledged, refused or found damaged. */
  take(): QueuedBatch | undefined;
  /** The batch's deflated body; undefined when its file is damaged: then it has been put aside. */
  read(batch: QueuedBatch): Promise<Buffer | undefined>;
  /** Counts a failed attempt. */
  putBack(batch: QueuedBatch): void;
  acknowledge(batch: QueuedBatch): Promise<void>;
  /** Puts a batch aside that will never be taken. */
  refuse(batch: QueuedBatch): Promise<void>;
  /** Calls `action` when there may be something to take. */
  onWork(action: () => void): void;
}

export interface AgentQueue {
  /**
   * Stores the records as one or more batches, durably. When the queue is full, batches are dropped in the order of their kinds, perhaps
   * these. Throws `relay.agent.queue-unwritable`.
   */
  put(collection: Collection): Promise<void>;
  /**
   * The batches that go by one route, as `mayTake` says at the moment they are asked for: a batch whose route changes while it waits leaves
   * one lane and is in the other; no batch is in two hands.
   */
  lane(route: Route, mayTake: (batch: QueuedBatch) => boolean): Lane;
  /** Lets every lane look again, after routes have changed. */
  wake(): void;
  /** From now on waiting batches may take so many bytes; what is there already stays. */
  limit(bytes: number): void;
  usedBytes(): number;
}

export interface QueueOptions {
  readonly folder: string;
  /** Most bytes that waiting batches may take of the disk, in whole blocks of 4 KiB. */
  readonly limitBytes: number;
  readonly counts: QueueCounts;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Opens the queue with what waits in its folder. Those batches may have been sent before the restart: their next attempt is a repeat. */
export async function openQueue(options: QueueOptions): Promise<AgentQueue> {
  const { counts, clock, random, log } = options;
  const index = createQueueIndex(options.limitBytes);
  const folder = await openQueueFolder(options.folder, log);
  let sequence = await load(folder, index, options);
  const listeners = new Set<() => void>();
  const wake = (): void => {
    for (const listener of listeners) listener();
  };

  const forget = (batch: QueuedBatch): void => {
    index.forget(batch);
    counts.count('queued', batch.dataType, -1);
  };
  const makeRoom = async (bytes: number, kind: Kind): Promise<boolean> => {
    const victims = index.admit(bytes, kind);
    for (const victim of victims ?? []) {
      counts.count('queued', victim.dataType, -1);
      counts.count('dropped', victim.dataType);
    }
    await Promise.all((victims ?? []).map(folder.remove));
    return victims !== undefined;
  };
  const store = async (dataType: string, kind: Kind, body: UploadBody): Promise<void> => {
    const bytes = folder.bytesFor(body);
    if (!(await makeRoom(bytes, kind))) {
      counts.count('collected', dataType);
      counts.count('dropped', dataType);
      return;
    }
    sequence += 1;
    const batch: QueuedBatch = { sequence, kind, dataType, id: createBatchId(clock.now(), random), bytes, attempts: 0 };
    try {
      await folder.write(batch, body);
    } catch (thrown) {
      index.giveBack(bytes);
      throw thrown;
    }
    index.add(batch);
    counts.count('collected', dataType);
    counts.count('queued', dataType);
    wake();
  };

  const lane: AgentQueue['lane'] = (route, mayTake) => ({
    take: index.turns(mayTake),
    async read(batch) {
      const body = await folder.read(batch);
      if (body) return body;
      forget(batch);
      await putDamagedAside(writeQueueName(batch), batch.dataType, folder, options);
      return undefined;
    },
    putBack: index.putBack,
    async acknowledge(batch) {
      forget(batch);
      counts.acknowledged(batch.dataType, batch.id, route);
      await folder.remove(batch);
    },
    async refuse(batch) {
      forget(batch);
      counts.count('refused', batch.dataType);
      await folder.putAside(writeQueueName(batch), 'refused');
    },
    onWork: (action) => void listeners.add(action),
  });

  return {
    lane,
    wake,
    limit: index.limit,
    async put(collection) {
      const kind = kindOf(collection.dataType, collection.solution);
      for (const body of await writeUploadBodies(collection)) await store(collection.dataType, kind, body);
    },
    usedBytes: index.usedBytes,
  };
}

// Fills the index from the folder and returns the highest sequence. What is on disk stays, even if the limit has been lowered since.
async function load(folder: QueueFolder, index: QueueIndex, options: QueueOptions): Promise<number> {
  let highest = 0;
  for (const { file, bytes } of await folder.list()) {
    const name = readQueueName(file);
    if (!name) {
      await putDamagedAside(file, 'unknown', folder, options);
      continue;
    }
    index.restore({ ...name, bytes, attempts: 1 });
    options.counts.count('queued', name.dataType);
    highest = Math.max(highest, name.sequence);
  }
  return highest;
}

async function putDamagedAside(file: string, dataType: string, folder: QueueFolder, { counts, log }: QueueOptions): Promise<void> {
  counts.count('unreadable', dataType);
  log.warn({ file }, 'a file of the queue is damaged or no batch: put into the folder unreadable');
  await folder.putAside(file, 'unreadable');
}
