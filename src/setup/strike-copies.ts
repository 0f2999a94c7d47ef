import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_DEPTH = 4;
const MOST_FILES = 500;
/** Shorter ones might stand anywhere. */
const LEAST_CHARS = 8;

/**
 * Overwrites every secret in cloud-init's copies of the user-data by as many asterisks, in place: the files keep their form, so that cloud-init goes on reading
 * them, and the old bytes are gone from the disk. Gives the files that held one. What was compressed or encoded is not found, nor what is shorter than eight
 * characters.
 */
export async function strikeCopies(folder: string, secrets: readonly string[]): Promise<readonly string[]> {
  const needles = secrets.filter((secret) => secret.length >= LEAST_CHARS).map((secret) => Buffer.from(secret));
  if (needles.length === 0) return [];
  const struck: string[] = [];
  for (const path of await filesIn(folder, MOST_DEPTH)) {
    if (struck.length < MOST_FILES && (await strike(path, needles))) struck.push(path);
  }
  return struck;
}

async function filesIn(folder: string, depth: number): Promise<readonly string[]> {
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = await Promise.all(
    entries.map(async (entry): Promise<readonly string[]> => {
      const path = join(folder, entry.name);
      // A link, such as `instance`, leads to a folder that is walked anyway.
      if (entry.isDirectory()) return await filesIn(path, depth - 1);
      return entry.isFile() ? [path] : [];
    }),
  );
  return nested.flat();
}

async function strike(path: string, needles: readonly Buffer[]): Promise<boolean> {
  const { size } = await stat(path);
  if (size > MOST_BYTES) return false;
  const file = await open(path, 'r+');
  try {
    const content = await file.readFile();
    const places = needles.flatMap((needle) => placesOf(content, needle).map((at) => ({ at, length: needle.length })));
    for (const { at, length } of places) await file.write(Buffer.alloc(length, '*'), 0, length, at);
    if (places.length > 0) await file.sync();
    return places.length > 0;
  } finally {
    await file.close();
  }
}

function placesOf(content: Buffer, needle: Buffer): number[] {
  const places: number[] = [];
  for (let at = content.indexOf(needle); at >= 0; at = content.indexOf(needle, at + needle.length)) places.push(at);
  return places;
}
