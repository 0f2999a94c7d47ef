import { host, path, port, secretFile, size, wholeNumber } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';
import { formatSize } from '../units.ts';

/** Sizes in bytes. */
export interface CacheOptions {
  /** What all workspaces together may keep. */
  readonly limit: number;
  /** What one workspace may keep, within `limit`. */
  readonly limitPerWorkspace?: number | undefined;
  /** Batches written together at most. */
  readonly groupBatches: number;
  /** Bytes written together at most; a larger batch is a group of its own. */
  readonly groupSize: number;
  /** A segment file is closed at this size. */
  readonly segmentSize: number;
  /** Payloads just written that are kept in memory for delivery. */
  readonly memory: number;
  /** Absolute path of the key ring's file. */
  readonly keyFile?: string | undefined;
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
  limit: option(
    size({ from: '64KiB', to: '1PiB' }),
    '10GiB',
    'What may wait on disk, all workspaces together. What does not fit is refused with 503, never acknowledged.',
  ),
  limitPerWorkspace: optional(size({ from: '64KiB', to: '1PiB' }), 'limit', 'What may wait on disk for one workspace.'),
  groupBatches: option(wholeNumber(1, 1024), 32, 'Batches written and synced together at most.'),
  groupSize: option(size({ from: '4KiB', to: '64MiB' }), '1MiB', 'Bytes written and synced together at most; a larger batch goes alone.'),
  segmentSize: option(size({ from: '64KiB', to: '4GiB' }), '64MiB', 'Size at which a segment file is closed and the next begun.'),
  memory: option(size({ from: '0B', to: '64GiB' }), '64MiB', 'Memory for payloads just written, so that delivering them does not read the disk.'),
  keyFile: optional(secretFile, 'systemd credential cache-keys, else <data>/keys/cache.json', 'File with the keys that seal what is kept, mode 0600.'),
  redis,
});

const groupFits = check(fields, {
  at: ['groupSize'],
  isGood: (cache) => !(cache.groupSize > cache.segmentSize),
  problem: (cache) => `found ${formatSize(cache.groupSize)}; at most cache.segmentSize, which is ${formatSize(cache.segmentSize)}`,
});

const segmentFits = check(groupFits, {
  at: ['segmentSize'],
  isGood: (cache) => !(cache.segmentSize > cache.limit),
  problem: (cache) => `found ${formatSize(cache.segmentSize)}; at most cache.limit, which is ${formatSize(cache.limit)}`,
});

export const cacheOptions: Schema<CacheOptions> = check(segmentFits, {
  at: ['limitPerWorkspace'],
  isGood: (cache) => !((cache.limitPerWorkspace ?? 0) > cache.limit),
  problem: (cache) => `found ${formatSize(cache.limitPerWorkspace ?? 0)}; at most cache.limit, which is ${formatSize(cache.limit)}`,
});
