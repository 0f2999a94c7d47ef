import type { Ground } from './ground.ts';

/** Below this much free disk nothing more is taken, so that notes, index and logs still find room. */
export const DISK_RESERVE_BYTES: number = 64 * 1024 * 1024;
/** Above this share of its memory Redis gets no more entries: at its limit even taking one fails. */
const REDIS_MEMORY_LIMIT = 0.8;

/** What stands in the way of keeping more, a sentence each. `folder` is where the cache is. */
export function obstaclesOf({ disk, redis, isRedisConnected }: Ground, folder: string): string[] {
  const { freeBytes } = disk;
  return [
    ...(isRedisConnected ? memoryObstacle(redis) : ['Redis, which holds the queues, does not answer.']),
    ...(freeBytes < DISK_RESERVE_BYTES
      ? [`The disk of ${folder} is almost full: ${freeBytes} bytes are free, ${DISK_RESERVE_BYTES} are kept in reserve.`]
      : []),
  ];
}

function memoryObstacle({ memoryUsedBytes, memoryLimitBytes }: Ground['redis']): string[] {
  const ratio = memoryLimitBytes > 0 ? memoryUsedBytes / memoryLimitBytes : 0;
  return ratio > REDIS_MEMORY_LIMIT ? [`Redis uses ${Math.round(ratio * 100)} % of its maxmemory; raise it.`] : [];
}
