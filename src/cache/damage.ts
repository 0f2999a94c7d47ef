import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files.ts';
import type { Segment } from './segment.ts';
import type { DamagedStretch } from './segment-scan.ts';

/** Largest stretch copied aside, in bytes; a longer one is cut. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024;

/** Copies bytes that are no group into `<folder>/damaged/`, so that they survive their segment. The same stretch is copied once. */
export async function setAside(segment: Segment, stretch: DamagedStretch, folder: string): Promise<void> {
  const aside = join(folder, 'damaged');
  await mkdir(aside, { recursive: true, mode: 0o700 });
  const bytes = await segment.read(stretch.offset, Math.min(stretch.bytes, MAX_ASIDE_BYTES));
  await writeFileAtomic(join(aside, `${segment.name}@${stretch.offset}`), bytes);
}
