import type { RedisAddress } from '../../cache/redis.ts';
import { readRedisInfo } from '../../cache/redis-info.ts';
import type { Configuration } from '../../configuration/schema.ts';
import type { SupportText } from '../../control/api.ts';
import { messageOf } from '../../errors.ts';
import { readSecretFile } from '../../files.ts';
import type { Gathered, Part } from '../part.ts';
import { type BundleSite, NO_CONFIGURATION } from '../site.ts';

const CONNECT_MS = 3_000;

/** What Redis tells of itself: asked by the relay over its own connection, else over one that only reads. */
export function redisPart({ relay, configured }: BundleSite): Part {
  return {
    file: 'redis.txt',
    what: 'what Redis tells of itself (INFO): version, memory, persistence, clients, keys in numbers',
    async gather() {
      const byRelay = relay.runs ? await relay.get<SupportText>('/support/redis').catch(messageOf) : relay.reason;
      if (typeof byRelay === 'object') return { text: byRelay.text, note: "over the relay's connection" };
      return configured.usable ? await askOurselves(configured.configuration, byRelay) : { leftOut: NO_CONFIGURATION };
    },
  };
}

async function askOurselves({ cache }: Configuration, whyNotByRelay: string): Promise<Gathered> {
  const { passwordFile, ...place } = cache.redis;
  const password = passwordFile === undefined ? undefined : await readSecretFile(passwordFile, () => {});
  const address: RedisAddress = { ...place, password };
  return { text: await readRedisInfo(address, CONNECT_MS), note: `over a connection of the bundle's own: ${whyNotByRelay}` };
}
