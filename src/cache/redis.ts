import { Redis } from 'ioredis';
import { RelayError } from '../errors.ts';

/** How to reach Redis: a Unix socket, or host and port. */
export interface RedisAddress {
  readonly socket?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly password?: string | undefined;
}

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 5_000;
const LONGEST_RECONNECT_WAIT_MS = 2_000;

/** What ioredis and BullMQ both take. */
export interface ConnectionSettings {
  path?: string;
  host?: string;
  port?: number;
  password?: string;
  db: number;
  connectTimeout: number;
  commandTimeout: number;
  enableOfflineQueue: boolean;
  maxRetriesPerRequest: null;
  autoResendUnfulfilledCommands: boolean;
  retryStrategy: (attempt: number) => number;
}

/**
 * Connection settings under which nothing waits for an absent Redis: commands fail at once while it is away, or after five seconds,
 * and the connection comes back by itself.
 */
export function connectionOptions(address: RedisAddress): ConnectionSettings {
  const { socket, host, port, database, password } = address;
  return {
    ...(socket ? { path: socket } : { host, port }),
    ...(password === undefined ? {} : { password }),
    db: database,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(100 * attempt, LONGEST_RECONNECT_WAIT_MS),
  };
}

/** What is said about a Redis: reasons not to start at all, and things an operator should change. */
export interface RedisFindings {
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
}

/** The settings of a Redis that matter to us, as `INFO` and `CONFIG GET` tell them. */
export interface RedisFacts {
  readonly version: string;
  readonly maxmemoryPolicy: string;
  readonly maxmemoryBytes: number;
  readonly appendOnly: boolean;
  /** Undefined when Redis does not let us ask. */
  readonly appendFsync?: string | undefined;
}

/** Judges a Redis by its settings. */
export function judgeRedis(facts: RedisFacts): RedisFindings {
  const [major = 0, minor = 0] = facts.version.split('.').map(Number);
  const refusals = [
    ...(major < 6 || (major === 6 && minor < 2) ? [`Redis is version ${facts.version}; the relay needs 6.2 or later.`] : []),
    ...(facts.maxmemoryPolicy === 'noeviction'
      ? []
      : [`Redis has maxmemory-policy ${facts.maxmemoryPolicy}, under which it deletes queue entries by itself. Set: maxmemory-policy noeviction`]),
  ];
  const warnings = [
    ...(facts.appendOnly
      ? []
      : ['Redis has appendonly no. After a restart of Redis the relay rebuilds its queues from disk; set appendonly yes so that it need not.']),
    ...(facts.appendOnly && facts.appendFsync !== undefined && facts.appendFsync !== 'always'
      ? [`Redis has appendfsync ${facts.appendFsync}. After a power cut some data is sent twice; appendfsync always costs next to nothing here.`]
      : []),
  ];
  return { refusals, warnings };
}

/** Asks a Redis for its settings. */
export async function readRedisFacts(redis: Redis): Promise<RedisFacts> {
  const info = parseInfo(await redis.info());
  const fsync = await redis.call('CONFIG', 'GET', 'appendfsync').catch(() => undefined);
  return {
    version: info.get('redis_version') ?? '0',
    maxmemoryPolicy: info.get('maxmemory_policy') ?? 'unknown',
    maxmemoryBytes: Number(info.get('maxmemory') ?? 0),
    appendOnly: info.get('aof_enabled') === '1',
    appendFsync: Array.isArray(fsync) ? String(fsync[1]) : undefined,
  };
}

/** How a Redis is at this moment. */
export interface RedisHealth {
  readonly memoryUsedBytes: number;
  /** 0 without a limit. */
  readonly memoryLimitBytes: number;
  /** Whether its last write to the append-only file went well. */
  readonly aofOk: boolean;
  /** Whether its last snapshot, and its last rewrite of the append-only file, went well. */
  readonly saveOk: boolean;
  /** Keys thrown away for lack of memory since it started. */
  readonly evictedKeys: number;
}

/** Asks a Redis how it is. Rejects when it does not answer. */
export async function readRedisHealth(redis: Redis): Promise<RedisHealth> {
  const info = parseInfo(await redis.info());
  return {
    memoryUsedBytes: Number(info.get('used_memory') ?? 0),
    memoryLimitBytes: Number(info.get('maxmemory') ?? 0),
    aofOk: info.get('aof_last_write_status') !== 'err',
    saveOk: info.get('rdb_last_bgsave_status') !== 'err' && info.get('aof_last_bgrewrite_status') !== 'err',
    evictedKeys: Number(info.get('evicted_keys') ?? 0),
  };
}

/** How much of its memory Redis uses, 0 to 1; 0 when it has no limit. */
export async function readMemoryRatio(redis: Redis): Promise<number> {
  const { memoryUsedBytes, memoryLimitBytes } = await readRedisHealth(redis);
  return memoryLimitBytes > 0 ? memoryUsedBytes / memoryLimitBytes : 0;
}

/** Connects, and waits until Redis answers. Throws `relay.redis.unreachable` after `timeoutMs`. Errors of the connection afterwards go to `onError`. */
export async function connectRedis(address: RedisAddress, timeoutMs: number, onError: (error: Error) => void): Promise<Redis> {
  const redis = new Redis({ ...connectionOptions(address), lazyConnect: true });
  let last: unknown;
  redis.on('error', (error: Error) => {
    last = error;
    onError(error);
  });
  const ready = new Promise<void>((resolve) => redis.once('ready', () => resolve()));
  redis.connect().catch((error: unknown) => {
    last = error;
  });
  const timer = Promise.withResolvers<'late'>();
  const handle = setTimeout(() => timer.resolve('late'), timeoutMs);
  const outcome = await Promise.race([ready, timer.promise]);
  clearTimeout(handle);
  if (outcome !== 'late') return redis;
  redis.disconnect();
  const where = address.socket ?? `${address.host}:${address.port}`;
  throw new RelayError('relay.redis.unreachable', `Redis at ${where} does not answer. Start it, or correct cache.redis.`, { cause: last });
}

function parseInfo(text: string): Map<string, string> {
  return new Map(
    text.split('\r\n').flatMap((line) => (line.includes(':') ? [[line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)] as const] : [])),
  );
}
