/**
 * A marker in a folder of somebody else's: by it the right folder is told from the empty mount point under a disk that is not mounted, and from
 * another disk. It is written once, when the folder is linked.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { z } from 'zod';
import { messageOf } from '../../../errors.ts';
import { type Disk, replaceFile } from './disk.ts';
import { readSmall } from './read-file.ts';

const MAX_BYTES = 4 * 1024;

/** What a marker says, or why there is none to read. */
export type MarkerRead<T> = { readonly state: 'there'; readonly marker: T; readonly stamp: string } | { readonly state: 'away'; readonly why: string };

/** Reads the marker `name` of a folder. Never throws: whatever keeps it from being read means that the folder is away. */
export async function readMarker<T>(folder: string, name: string, schema: z.ZodType<T>): Promise<MarkerRead<T>> {
  const path = join(folder, name);
  try {
    const stamp = await stampOf(path);
    const text = (await readSmall(path, MAX_BYTES))?.toString('utf8');
    if (text === undefined) return { state: 'away', why: `it has no ${name}` };
    const marker = schema.safeParse(JSON.parse(text));
    return marker.success ? { state: 'there', marker: marker.data, stamp } : { state: 'away', why: `its ${name} is not one that we wrote` };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { state: 'away', why: isMissing ? `it has no ${name}` : messageOf(error) };
  }
}

/** Writes or replaces the marker. */
export async function writeMarker(disk: Disk, folder: string, name: string, marker: object): Promise<void> {
  await replaceFile(disk, join(folder, name), Buffer.from(`${JSON.stringify(marker)}\n`));
}

/** Changes whenever the marker is another file than before, or on another disk. Throws what the operating system says. */
export async function stampOf(path: string): Promise<string> {
  const { dev, ino, ctimeNs } = await lstat(path, { bigint: true });
  return `${dev} ${ino} ${ctimeNs}`;
}
