import { statfs } from 'node:fs/promises';
import type { Redis } from 'ioredis';
import { type Clock, every } from '../clock.ts';
import { type RedisHealth, readRedisHealth } from './redis.ts';

const MEASURE_EVERY_MS = 2_000;

/** Room on the disk of the cache. */
export interface DiskRoom {
  readonly freeBytes: number;
  readonly sizeBytes: number;
}

/** What the cache stands on, as it was measured last: two seconds ago at most. */
export interface Ground {
  readonly disk: DiskRoom;
  /** As Redis told last. */
  readonly redis: RedisHealth;
  /** Whether there is a connection to Redis at this moment. */
  readonly isRedisConnected: boolean;
  /** Whether it also answered when it was asked last. */
  readonly doesRedisAnswer: boolean;
}

export interface GroundWatch {
  current(): Ground;
  stop(): void;
}

/** Measures once before it resolves, then every two seconds. Redis must answer the first time. */
export async function watchGround(folder: string, redis: Redis, clock: Clock): Promise<GroundWatch> {
  let disk = await roomOf(folder);
  let health = await readRedisHealth(redis);
  let hasAnswered = true;
  const measure = async (): Promise<void> => {
    disk = await roomOf(folder);
    const found = await readRedisHealth(redis).catch(() => undefined);
    hasAnswered = found !== undefined;
    health = found ?? health;
  };
  const stop = every(clock, MEASURE_EVERY_MS, measure);
  return {
    stop,
    // Between two measurements the connection itself tells whether Redis is there.
    current() {
      const isRedisConnected = redis.status === 'ready';
      return { disk, redis: health, isRedisConnected, doesRedisAnswer: isRedisConnected && hasAnswered };
    },
  };
}

async function roomOf(folder: string): Promise<DiskRoom> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, sizeBytes: blocks * bsize };
}
