import { chown, mkdir, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, writeFileAtomic } from '../files.ts';
import type { Owner } from './data-folder.ts';
import type { Placed } from './plan-files.ts';

const SECRET_MODE = 0o600;
/** The relay's user reads the configuration by its group. */
const CONFIGURATION_MODE = 0o640;

export interface WriteSettings {
  /** Undefined: whoever runs this. */
  readonly owner: Owner | undefined;
  /** What a file is called that was in the way: its path and this. */
  readonly suffix: string;
}

/** Writes what the configuration names, for the relay alone. Returns where files went that were in the way. Throws `relay.restore.cannot-write`. */
export async function writePlaced(files: readonly Placed[], { owner, suffix }: WriteSettings): Promise<string[]> {
  const aside: string[] = [];
  for (const file of files) {
    if (!('path' in file)) continue;
    aside.push(
      ...(await written(file.path, async () => {
        const isNewFolder = !(await exists(dirname(file.path)));
        await makePrivateFolder(dirname(file.path));
        const moved = await moveAside(file.path, suffix);
        await writeFileAtomic(file.path, file.content, SECRET_MODE);
        if (owner) for (const path of [file.path, ...(isNewFolder ? [dirname(file.path)] : [])]) await chown(path, owner.uid, owner.gid);
        return moved;
      })),
    );
  }
  return aside;
}

/** Writes a configuration file. One that is there lends it its mode and owner, and is moved aside. */
export async function writeConfiguration(path: string, text: string, { owner, suffix }: WriteSettings): Promise<string[]> {
  return await written(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const before = await stat(path).catch(() => undefined);
    const moved = await moveAside(path, suffix);
    await writeFileAtomic(path, text, before ? before.mode & 0o777 : CONFIGURATION_MODE);
    if (before && process.getuid?.() === 0) await chown(path, before.uid, before.gid);
    else if (owner) await chown(path, 0, owner.gid);
    return moved;
  });
}

async function moveAside(path: string, suffix: string): Promise<string[]> {
  if (!(await exists(path))) return [];
  await rename(path, path + suffix);
  return [path + suffix];
}

async function written<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new RelayError('relay.restore.cannot-write', `${path} could not be written. Check the rights and the space on its disk, then restore again.`, {
      cause,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
