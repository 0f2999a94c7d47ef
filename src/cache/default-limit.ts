import { statfs } from 'node:fs/promises';

const SHARE = 0.8;
const LEAST_BYTES = 64 * 1024;

/** What may be kept where no limit is set: 80 % of what the partition has for the cache, free or used by it already, less a reserve. */
export async function defaultLimitBytes(folder: string, usedBytes: number, reserveBytes: number): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return Math.max(LEAST_BYTES, Math.floor(SHARE * (bavail * bsize + usedBytes)) - reserveBytes);
}
