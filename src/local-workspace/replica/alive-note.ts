/** A note on the replica's disk that its data folder is in use, so that nobody takes over from one that runs. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Disk, replaceFile } from '../private-storage/place/disk.ts';
import { readMarker } from '../private-storage/place/marker.ts';

const NAME = '.relay-alive';

/** How often the note is written. */
export const NOTE_EVERY_MS = 10_000;
const SILENT_AFTER_MS = 60_000;

const noteSchema = z.strictObject({ owner: z.string(), epoch: z.int(), at: z.int() });

/** Says that the data folder `owner` was in use at this moment. */
export async function writeAliveNote(disk: Disk, folder: string, note: { readonly owner: string; readonly epoch: number; readonly at: number }): Promise<void> {
  await replaceFile(disk, join(folder, NAME), Buffer.from(JSON.stringify(note)));
}

/** Takes the note back, at an orderly end. */
export async function removeAliveNote(disk: Disk, folder: string): Promise<void> {
  await disk.remove(join(folder, NAME));
}

/** How many milliseconds ago the data folder was in use; undefined when that is a minute ago or longer, or it ended in order. */
export async function aliveSince(folder: string, nowMs: number): Promise<number | undefined> {
  const found = await readMarker(folder, NAME, noteSchema);
  if (found.state === 'away') return undefined;
  const age = nowMs - found.marker.at;
  // One from the future is from a clock that is wrong, and no reason to believe in silence.
  return age < SILENT_AFTER_MS ? age : undefined;
}
