import type { Redis } from 'ioredis';
import { connectRedis, type RedisAddress } from './redis.ts';

/** What a Redis tells of itself, for people: `INFO` with its statistics of commands. No keys, no values, no settings that are secret. */
export async function redisInfo(redis: Pick<Redis, 'info'>): Promise<string> {
  return `${await redis.info()}\r\n${await redis.info('commandstats')}`.replaceAll('\r\n', '\n');
}

/** The same over a connection that is closed again. Throws `relay.redis.unreachable` after `timeoutMs`. */
export async function readRedisInfo(address: RedisAddress, timeoutMs: number): Promise<string> {
  const redis = await connectRedis(address, timeoutMs, () => {});
  try {
    return await redisInfo(redis);
  } finally {
    redis.disconnect();
  }
}
