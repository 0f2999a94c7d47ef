/**
 * The index of one workspace's groups: one BullMQ queue, one small job a group. It says which group is next and when; the payload store
 * says what is in it. Jobs are fetched by hand, without BullMQ's blocking connection loop, so that a Redis that was away cannot park us.
 *
 * Settings that guard data: a job is never failed for stalling (a crash is not the job's fault), never removed for failing, and carries no
 * stack traces. The `{workspace}` tag keeps a queue's keys in one slot of a Redis Cluster.
 */
import { randomUUID } from 'node:crypto';
import { type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { KINDS, type Kind } from '../batch/kind.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Format } from '../format.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { INDEX_STATES, type IndexState } from './index-states.ts';
import type { StoredGroup } from './payload-store.ts';
import { connectionOptions, type RedisAddress } from './redis.ts';
import type { GroupId } from './segment-format.ts';
import type { Place } from './taking-order.ts';

/** What is in Redis: BullMQ's own layout, and the jobs' names and data. Neither bears a number that we could read; this is theirs. */
export const INDEX_FORMAT: Format = { reads: [1], writes: 1 };

const QUEUE = 'groups';
/** An entry that names no group: it shows that entries are taken. */
const CANARY = 'canary';
const LOCK_MS = 30_000;
const NEVER_FAIL_FOR_STALLING = 2 ** 31 - 1;
const READY_MS = 5_000;
const ADD_AT_ONCE = 500;
/** BullMQ's own: the lock is not looked at. Right only for jobs that no living process holds. */
const ANY_TOKEN = '0';

/** A group taken from the index; it is ours until finished, delayed or put back. */
export interface TakenGroup {
  readonly id: GroupId;
  /** When its oldest batch was received, in milliseconds since 1970. */
  readonly oldestAt: number;
  /** Bytes of its batches, as they came over the wire. */
  readonly bytes: number;
  readonly isCanary: boolean;
  readonly job: Job;
}

export interface GroupIndex {
  /** Adds a group, as fresh unless told. */
  add(group: StoredGroup, place?: Place): Promise<void>;
  /** Adds many, in order; a group that is there already stays as it is. */
  addAll(groups: readonly StoredGroup[], place?: Place): Promise<void>;
  /** Adds an entry that names no group, as the next one to be taken; nothing happens while there is one. */
  addCanary(): Promise<void>;
  /** Makes the first group of the backlog the next one to be taken; false when there is none. */
  bringBacklogForward(): Promise<boolean>;
  /** Takes the next group that is due; undefined when none is. */
  take(): Promise<TakenGroup | undefined>;
  finish(taken: TakenGroup): Promise<void>;
  /** Makes it due at a later time, in milliseconds since 1970. */
  delay(taken: TakenGroup, untilMs: number): Promise<void>;
  /** Makes a delayed group the next one to be taken. */
  bringForward(id: GroupId): Promise<void>;
  /** Puts it back as the next one to be taken. */
  putBack(taken: TakenGroup): Promise<void>;
  /** Tells Redis that we still work on these. */
  extend(taken: readonly TakenGroup[]): Promise<void>;
  ids(): Promise<GroupId[]>;
  /** How many entries there are, by the states that BullMQ knows. */
  counts(): Promise<Readonly<Record<IndexState, number>>>;
  /** Ids taken by somebody: by us, or by a process that is gone. */
  takenIds(): Promise<GroupId[]>;
  /** Puts back a group whose taker is gone. */
  release(id: GroupId): Promise<void>;
  remove(id: GroupId): Promise<void>;
  /** Makes the connection anew by which groups are taken; those taken by the old one are found to be taken by nobody, unless they are done before. */
  reconnect(): void;
  close(): Promise<void>;
}

const JOB_OPTIONS = { removeOnComplete: true, removeOnFail: false, stackTraceLimit: 0, attempts: Number.MAX_SAFE_INTEGER };

interface JobData {
  readonly batches: number;
  readonly bytes: number;
  readonly oldestAt: number;
}

/** `dropOrder`: what a full cache drops first; a backlog is taken the other way round. */
export function createGroupIndex(workspaceId: WorkspaceId, redis: Redis, address: RedisAddress, log: Logger, dropOrder: readonly Kind[] = KINDS): GroupIndex {
  const prefix = `relay:{${workspaceId}}`;
  const queue = new Queue(QUEUE, { connection: redis, prefix, defaultJobOptions: JOB_OPTIONS, streams: { events: { maxLen: 100 } } });
  const onError = (error: Error): void => log.debug({ workspaceId, reason: messageOf(error) }, 'the index reports an error of its connection');
  queue.on('error', onError);
  const token = randomUUID();
  let worker = createWorker();
  let isReady = false;

  function createWorker(): Worker {
    const connection = connectionOptions(address);
    const how = { autorun: false, lockDuration: LOCK_MS, maxStalledCount: NEVER_FAIL_FOR_STALLING, skipLockRenewal: true };
    return new Worker(QUEUE, null, { connection, prefix, ...how }).on('error', onError);
  }

  // BullMQ waits without end for a first connection that is not made, and never makes another one.
  const readyWorker = async (): Promise<Worker> => {
    if (isReady) return worker;
    try {
      await within(READY_MS, worker.waitUntilReady());
      isReady = true;
      return worker;
    } catch (cause) {
      renewWorker();
      throw cause;
    }
  };

  const renewWorker = (): void => {
    worker.close(true).catch(() => {});
    worker = createWorker();
    isReady = false;
  };

  // Entries without a priority are taken before those with one; among these the lowest number goes first.
  const jobOf = (group: StoredGroup, place: Place): { name: string; data: JobData; opts: { jobId: string; priority?: number } } => ({
    name: group.kind,
    data: { batches: group.batches, bytes: group.bytes, oldestAt: group.oldestAt },
    opts: { jobId: group.id, ...(place === 'backlog' ? { priority: dropOrder.length - dropOrder.indexOf(group.kind) } : {}) },
  });

  return {
    async add(group, place = 'fresh') {
      const { name, data, opts } = jobOf(group, place);
      await queue.add(name, data, opts);
    },
    async addAll(groups, place = 'fresh') {
      for (let start = 0; start < groups.length; start += ADD_AT_ONCE) {
        await queue.addBulk(groups.slice(start, start + ADD_AT_ONCE).map((group) => jobOf(group, place)));
      }
    },
    async addCanary() {
      await queue.add(CANARY, { batches: 0, bytes: 0, oldestAt: 0 } satisfies JobData, { jobId: CANARY, lifo: true });
    },
    async bringBacklogForward() {
      const [id] = await queue.getRanges(['prioritized'], 0, 0, true);
      const job = id === undefined ? undefined : ((await queue.getJob(id)) as Job | undefined);
      await job?.changePriority({ priority: 0, lifo: true });
      return job !== undefined;
    },
    async take() {
      const from = await readyWorker();
      const job = (await from.getNextJob(token, { block: false })) as Job | undefined;
      if (job?.id === undefined) return undefined;
      const { oldestAt = 0, bytes = 0 } = (job.data as Partial<JobData> | undefined) ?? {};
      return { id: job.id as GroupId, oldestAt: Number(oldestAt), bytes: Number(bytes), isCanary: job.id === CANARY, job };
    },
    async finish({ job }) {
      await job.moveToCompleted(undefined, token, false);
    },
    async delay({ job }, untilMs) {
      await job.moveToDelayed(untilMs, token);
    },
    async bringForward(id) {
      const job = (await queue.getJob(id)) as Job | undefined;
      if (!job || !(await job.isDelayed())) return;
      await job.promote();
      await job.changePriority({ lifo: true });
    },
    async putBack({ job }) {
      await job.moveToWait(token);
      // Several put back into the backlog would stand there in no order.
      if (job.priority > 0) await job.changePriority({ priority: 0, lifo: true });
    },
    async extend(taken) {
      const ids = taken.map(({ id }) => id as string);
      await worker.extendJobLocks(
        ids,
        ids.map(() => token),
        LOCK_MS,
      );
    },
    ids: async () => {
      const ids = await queue.getRanges([...INDEX_STATES], 0, -1, true);
      return ids.filter((id) => id !== CANARY) as GroupId[];
    },
    counts: async () => (await queue.getJobCounts(...INDEX_STATES)) as Record<IndexState, number>,
    takenIds: async () => (await queue.getRanges(['active'], 0, -1, true)) as GroupId[],
    async release(id) {
      const job = (await queue.getJob(id)) as Job | undefined;
      const takersToken = await redis.get(`${queue.toKey(id)}:lock`);
      await job?.moveToWait(takersToken ?? ANY_TOKEN);
    },
    async remove(id) {
      await queue.remove(id);
    },
    reconnect: renewWorker,
    async close() {
      await worker.close(true).catch(() => {});
      await queue.close().catch(() => {});
    },
  };
}

async function within(ms: number, ready: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new RelayError('relay.redis.unreachable', 'Redis does not answer the connection that takes groups.')), ms);
  try {
    await Promise.race([ready, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** How long a taken group stays ours without `extend`, in milliseconds. */
export const HOLD_MS: number = LOCK_MS;
