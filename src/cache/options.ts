import { KINDS, type Kind } from '../batch/kind.ts';
import { duration, host, list, oneOf, path, port, secretFile, size, wholeNumber } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';
import { formatSize } from '../units.ts';

/** Sizes in bytes. */
export interface CacheOptions {
  /** What all workspaces together may keep. */
  readonly limit?: number | undefined;
  /** What one workspace may keep, within `limit`. */
  readonly limitPerWorkspace?: number | undefined;
  /** What the dead letters of one workspace may take, within `limit`. */
  readonly deadLetterLimit: number;
  /** The six kinds, in the order in which a full cache drops them. */
  readonly dropOrder: readonly Kind[];
  /** Batches written together at most. */
  readonly groupBatches: number;
  /** Bytes written together at most; a larger batch is a group of its own. */
  readonly groupSize: number;
  /** A segment file is closed at this size. */
  readonly segmentSize: number;
  /** Milliseconds after which what still waits is given up. */
  readonly maxAge: number;
  /** Milliseconds in which nothing may move although it should. */
  readonly watchdog: number;
  /** Payloads just written that are kept in memory for delivery. */
  readonly memory: number;
  /** Absolute path of the key ring's file. */
  readonly keyFile?: string | undefined;
  /** Milliseconds after which the key that seals is replaced by a new one. */
  readonly keyLife: number;
  readonly redis: RedisOptions;
}

/** Where the index is. `socket` wins over `host` and `port`. */
export interface RedisOptions {
  /** Absolute path of a Unix socket. */
  readonly socket?: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Absolute path. */
  readonly passwordFile?: string | undefined;
  readonly database: number;
}

const redis: Schema<RedisOptions> = section<RedisOptions>({
  socket: optional(path, 'none', "Redis's Unix socket; used instead of host and port."),
  host: option(host, '127.0.0.1', "Redis's host. Keep it on this machine or on a network of its own."),
  port: option(port, 6379, "Redis's port."),
  passwordFile: optional(secretFile, 'no password', "File with Redis's password, mode 0600."),
  database: option(wholeNumber(0, 1023), 0, "Number of Redis's database."),
});

const fields: Schema<CacheOptions> = section<CacheOptions>({
  limit: optional(
    size({ from: '64KiB', to: '1PiB' }),
    '80 % of the free disk less 64MiB',
    'What may wait on disk, all workspaces together. What does not fit drops older data of a lower kind of its own workspace, or is refused with 503.',
  ),
  limitPerWorkspace: optional(size({ from: '64KiB', to: '1PiB' }), 'limit', 'What may wait on disk for one workspace.'),
  deadLetterLimit: option(
    size({ from: '64KiB', to: '1PiB' }),
    '256MiB',
    'What the dead letters of one workspace may take on disk. Beyond it the oldest are dropped, and entered as a loss.',
  ),
  dropOrder: option(
    list(oneOf(KINDS)),
    KINDS,
    'In which order a full cache drops what it holds: a batch that does not fit drops older data of kinds before its own, the first first. All six kinds.',
  ),
  groupBatches: option(wholeNumber(1, 1024), 32, 'Batches written and synced together at most.'),
  groupSize: option(size({ from: '4KiB', to: '64MiB' }), '1MiB', 'Bytes written and synced together at most; a larger batch goes alone.'),
  segmentSize: option(size({ from: '64KiB', to: '4GiB' }), '64MiB', 'Size at which a segment file is closed and the next begun.'),
  maxAge: option(
    duration({ from: '1h', to: '365d' }),
    '7d',
    'How long data may wait for its workspace; older data is dropped and entered in the loss ledger. A warning comes after 48 hours, from when on the service replaces the time of records.',
  ),
  watchdog: option(
    duration({ from: '1m', to: '1d' }),
    '10m',
    'When nothing moves for so long although the workspace answers, the connection to Redis is made anew; after as long again the relay ends with exit code 1, to be started afresh.',
  ),
  memory: option(size({ from: '0B', to: '64GiB' }), '64MiB', 'Memory for payloads just written, so that delivering them does not read the disk.'),
  keyFile: optional(secretFile, 'systemd credential cache-keys, else <data>/keys/cache.json', 'File with the keys that seal what is kept, mode 0600.'),
  keyLife: option(duration({ from: '1h', to: '3650d' }), '90d', 'Age at which a new key takes over. The old one stays until nothing it sealed is left.'),
  redis,
});

const groupFits = check(fields, {
  at: ['groupSize'],
  isGood: (cache) => !(cache.groupSize > cache.segmentSize),
  problem: (cache) => `found ${formatSize(cache.groupSize)}; at most cache.segmentSize, which is ${formatSize(cache.segmentSize)}`,
});

const segmentFits = check(groupFits, {
  at: ['segmentSize'],
  isGood: (cache) => !(cache.limit !== undefined && cache.segmentSize > cache.limit),
  problem: (cache) => `found ${formatSize(cache.segmentSize)}; at most cache.limit, which is ${formatSize(cache.limit ?? 0)}`,
});

const orderIsWhole = check(segmentFits, {
  at: ['dropOrder'],
  isGood: ({ dropOrder }) => !Array.isArray(dropOrder) || (dropOrder.length === KINDS.length && KINDS.every((kind) => dropOrder.includes(kind))),
  problem: ({ dropOrder }) => `found ${dropOrder.join(', ')}; each of ${KINDS.join(', ')} once`,
});

export const cacheOptions: Schema<CacheOptions> = check(orderIsWhole, {
  at: ['limitPerWorkspace'],
  isGood: (cache) => !(cache.limit !== undefined && (cache.limitPerWorkspace ?? 0) > cache.limit),
  problem: (cache) => `found ${formatSize(cache.limitPerWorkspace ?? 0)}; at most cache.limit, which is ${formatSize(cache.limit ?? 0)}`,
});
