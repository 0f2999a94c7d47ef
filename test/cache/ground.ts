import type { Ground } from '../../src/cache/ground.ts';

/** A disk with room and a Redis that is well. */
export const GROUND: Ground = {
  disk: { freeBytes: 60_000_000_000, sizeBytes: 100_000_000_000 },
  redis: { memoryUsedBytes: 2_000_000, memoryLimitBytes: 512_000_000, aofOk: true, saveOk: true, evictedKeys: 0 },
  isRedisConnected: true,
  doesRedisAnswer: true,
};
