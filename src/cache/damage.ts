import { mkdir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files.ts';
import type { Segment } from './segment.ts';
import type { DamagedStretch } from './segment-scan.ts';

/** Largest stretch copied aside, in bytes; a longer one is cut. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024;
/** What a workspace's folder of damage may take, in bytes: a disk that goes bad must not fill itself with copies. */
const MAX_FOLDER_BYTES = 4 * MAX_ASIDE_BYTES;

/** Copies bytes that are no group into `<folder>/damaged/`, so that they survive their segment; the oldest copies give way. False when the same stretch was copied before. */
export async function setAside(
  segment: Pick<Segment, 'name' | 'read'>,
  stretch: DamagedStretch,
  folder: string,
  limitBytes: number = MAX_FOLDER_BYTES,
): Promise<boolean> {
  const aside = join(folder, 'damaged');
  const path = join(aside, `${segment.name}@${stretch.offset}`);
  const length = Math.min(stretch.bytes, MAX_ASIDE_BYTES, limitBytes);
  const before = await stat(path).catch(() => undefined);
  if (before?.size === length) return false;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await makeRoom(aside, limitBytes - length);
  await writeFileAtomic(path, await segment.read(stretch.offset, length));
  return true;
}

async function makeRoom(folder: string, leftBytes: number): Promise<void> {
  const copies = await Promise.all((await readdir(folder)).map(async (name) => ({ path: join(folder, name), ...(await facts(join(folder, name))) })));
  copies.sort((a, b) => b.writtenAt - a.writtenAt);
  let sum = 0;
  for (const { path, bytes } of copies) {
    sum += bytes;
    if (sum > leftBytes) await unlink(path);
  }
}

async function facts(path: string): Promise<{ bytes: number; writtenAt: number }> {
  const { size, mtimeMs } = await stat(path);
  return { bytes: size, writtenAt: mtimeMs };
}
