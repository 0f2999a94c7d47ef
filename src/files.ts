import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RelayError } from './errors.ts';

/** Makes a folder that only its owner may enter (mode 0700), with its parents, durably. One that exists stays as it is. */
export async function makePrivateFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = resolve(path); made.length >= resolve(first).length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Writes a whole file or none of it: a new file beside it, fsync, rename, fsync of the folder. Mode 0600 unless given. */
export async function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw cause;
  }
  await syncFolder(dirname(path));
}

/** Makes the creation, renaming or removal of a folder's entries durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** As `syncFolder`, and done when it returns. */
export function syncFolderNow(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Reads a file; undefined when there is none. */
export async function readFileIfAny(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** Reads a secret's file, without the white space at its end. Throws `relay.secret.unreadable`; says so when others may read it too. */
export async function readSecretFile(path: string, warn: (message: string) => void): Promise<string> {
  try {
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) warn(`${path} holds a secret but others may read it (mode ${(mode & 0o777).toString(8).padStart(4, '0')}): chmod 600 ${path}`);
    return (await readFile(path, 'utf8')).trimEnd();
  } catch (cause) {
    throw new RelayError('relay.secret.unreadable', `The secret file ${path} cannot be read. Check that it exists and that this user may read it.`, { cause });
  }
}
