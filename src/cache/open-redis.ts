import type { Redis } from 'ioredis';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import { connectRedis, judgeRedis, type RedisAddress, readRedisFacts } from './redis.ts';

const START_TIMEOUT_MS = 30_000;

/** Connects to the Redis configured and looks at its settings: refuses to start on one that would lose entries (`relay.redis.unsuitable`), warns of the rest. */
export async function openRedis(address: RedisAddress, log: Logger): Promise<Redis> {
  const redis = await connectRedis(address, START_TIMEOUT_MS, (error) => log.debug({ reason: messageOf(error) }, 'Redis reports an error of its connection'));
  try {
    const { refusals, warnings } = judgeRedis(await readRedisFacts(redis));
    if (refusals.length > 0) throw new RelayError('relay.redis.unsuitable', refusals.join(' '));
    for (const warning of warnings) log.warn(warning);
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw cause;
  }
}
