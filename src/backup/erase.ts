import { randomBytes } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../files.ts';

/**
 * Destroys a small file that holds a key: overwritten, then removed. A disk may still hold the old bytes elsewhere (flash, a snapshot of the virtual
 * machine): that is why everything big is sealed under such a key, and the key under the machine's TPM where it has one.
 */
export async function destroyKey(path: string): Promise<void> {
  const file = await open(path, 'r+').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (!file) return;
  try {
    const { size } = await file.stat();
    await file.write(randomBytes(size), 0, size, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await rm(path);
  await syncFolder(dirname(path));
}

/** Every file in a folder and the folders in it; none when there is no such folder. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdirIfAny(folder);
  const found = await Promise.all(
    entries.map(async (entry) => (entry.isDirectory() ? await filesBelow(join(folder, entry.name)) : [join(folder, entry.name)])),
  );
  return found.flat();
}

/** Removes all that is in a folder but these names; the folder stays. A folder that is not there is empty already. */
export async function emptyFolder(folder: string, but: readonly string[] = []): Promise<void> {
  for (const { name } of await readdirIfAny(folder)) if (!but.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
}

async function readdirIfAny(folder: string): Promise<{ readonly name: string; isDirectory(): boolean }[]> {
  return await readdir(folder, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
}
