import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files.ts';
import type { Segment } from './segment.ts';
import type { DamagedStretch } from './segment-scan.ts';

/** Largest stretch copied aside, in bytes; a longer one is cut. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024;

/** Copies bytes that are no group into `<folder>/damaged/`, so that they survive their segment. False when the same stretch was copied before. */
export async function setAside(segment: Segment, stretch: DamagedStretch, folder: string): Promise<boolean> {
  const aside = join(folder, 'damaged');
  const path = join(aside, `${segment.name}@${stretch.offset}`);
  const length = Math.min(stretch.bytes, MAX_ASIDE_BYTES);
  const before = await stat(path).catch(() => undefined);
  if (before?.size === length) return false;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, await segment.read(stretch.offset, length));
  return true;
}
