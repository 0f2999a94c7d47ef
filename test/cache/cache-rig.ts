import { join } from 'node:path';
import { KINDS } from '../../src/batch/kind.ts';
import { unaccounted } from '../../src/cache/balance.ts';
import type { Cache } from '../../src/cache/cache.ts';
import type { CacheParts, CacheSettings } from '../../src/cache/cache-parts.ts';
import { type DurableCache, openCache } from '../../src/cache/durable-cache.ts';
import { connectRedis } from '../../src/cache/redis.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { createLogger } from '../../src/logger.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { newKeys, OTHER, START_MS, seededBytes, WORKSPACE } from './batches.ts';

export interface CacheRig extends AsyncDisposable {
  readonly folder: string;
  readonly clock: ManualClock;
  /** Lines of the log. */
  readonly logged: { readonly level: string; readonly msg: string }[];
  /** Opens the cache; the one opened before must be closed. */
  open(more?: Partial<CacheSettings>, parts?: Partial<CacheParts>): Promise<DurableCache>;
  /** Moves time on in steps, and gives everything that falls due its turn after each. */
  advance(ms: number, stepMs: number): Promise<void>;
}

/** The real cache on a real Redis, with a clock that is turned by hand. Redis ends delays by the machine's clock: a test of these starts at its time. */
export async function cacheRig(startMs: number = START_MS): Promise<CacheRig> {
  await using started = new AsyncDisposableStack();
  const folder = started.use(await temporaryFolder());
  const server = await startRedisServer(join(folder.path, 'redis'));
  started.defer(() => server.stop('SIGKILL'));
  const redisAddress = { socket: server.socket, host: '', port: 0, database: 0 };
  const keys = newKeys();
  const clock = createManualClock(startMs);
  const logged: CacheRig['logged'] = [];
  const log = createLogger('debug', { write: (line: string) => void logged.push(JSON.parse(line) as CacheRig['logged'][number]) });
  const random = seededBytes(7);
  const all = started.move();

  return {
    folder: folder.path,
    clock,
    logged,
    async open(more = {}, parts = {}) {
      const redis = await connectRedis(redisAddress, 10_000, () => {});
      all.defer(() => redis.disconnect());
      const settings: CacheSettings = {
        folder: join(folder.path, 'cache'),
        limitBytes: 100_000_000,
        limitPerWorkspaceBytes: undefined,
        dropOrder: KINDS,
        groupBatches: 32,
        groupBytes: 1_000_000,
        segmentBytes: 100_000,
        memoryBytes: 1_000_000,
        groupsInFlight: 4,
        schedule: { everyMs: 480_000, windowMs: 7_200_000 },
        ...more,
      };
      const workspaces = [WORKSPACE, OTHER];
      const cache = await openCache(settings, { workspaces, keys, redis, redisAddress, clock, random, log, onDamage: () => {}, onLoss: () => {}, ...parts });
      all.defer(() => cache.close(1_000));
      return cache;
    },
    async advance(ms, stepMs) {
      for (let left = ms; left > 0; left -= stepMs) {
        clock.advance(Math.min(stepMs, left));
        // Redis and the disk answer in their own time.
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** How many batches no book knows of. */
export function missing(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { balance }) => sum + balance.reduce((of, one) => of + Math.abs(unaccounted(one)), 0), 0);
}

/** How many groups wait or are in flight. */
export function waiting(cache: Cache): number {
  return cache.stats().workspaces.reduce((sum, { groupsWaiting, groupsInFlight }) => sum + groupsWaiting + groupsInFlight, 0);
}
