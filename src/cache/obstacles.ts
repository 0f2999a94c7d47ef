import { statfs } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { type Clock, every } from '../clock.ts';
import { readMemoryRatio } from './redis.ts';

/** Below this much free disk nothing more is taken, so that notes, index and logs still find room. */
export const DISK_RESERVE_BYTES: number = 64 * 1024 * 1024;
/** Above this share of its memory Redis gets no more entries: at its limit even taking one fails. */
const REDIS_MEMORY_LIMIT = 0.8;
const MEASURE_EVERY_MS = 2_000;

/** What stands in the way of keeping more: measured every two seconds, said in a sentence. */
export interface Obstacles {
  current(): string | undefined;
  stop(): void;
}

/** Measures once before it resolves. */
export async function watchObstacles(folder: string, redis: Redis, clock: Clock): Promise<Obstacles> {
  let measured: string | undefined;
  const measure = async (): Promise<void> => {
    measured = (await diskObstacle(folder)) ?? (await memoryObstacle(redis));
  };
  await measure();
  const stop = every(clock, MEASURE_EVERY_MS, measure);
  return { stop, current: () => (redis.status === 'ready' ? measured : 'Redis, which holds the queues, does not answer.') };
}

async function diskObstacle(folder: string): Promise<string | undefined> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  return free < DISK_RESERVE_BYTES ? `The disk of ${folder} is almost full: ${free} bytes are free, ${DISK_RESERVE_BYTES} are kept in reserve.` : undefined;
}

async function memoryObstacle(redis: Redis): Promise<string | undefined> {
  const ratio = await readMemoryRatio(redis).catch(() => 0);
  return ratio > REDIS_MEMORY_LIMIT ? `Redis uses ${Math.round(ratio * 100)} % of its maxmemory; raise it.` : undefined;
}
