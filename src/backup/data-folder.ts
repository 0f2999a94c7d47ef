/** The data folder of the machine to restore to: whether there is room, and how another state takes its place in one step. */
import { chown, lstat, mkdir, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, syncFolder } from '../files.ts';
import { roughSize } from '../rough.ts';

const RESERVE_BYTES = 64 * 1024 * 1024;
const LOST_AND_FOUND = 'lost+found';

export interface DataFolder {
  readonly path: string;
  readonly is: 'absent' | 'empty' | 'full';
  /** A file system of its own: its root cannot be moved. */
  readonly isMounted: boolean;
}

/** Looks at the folder, changes nothing. Throws `relay.restore.bad-data-folder`. */
export async function lookAtDataFolder(path: string): Promise<DataFolder> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return { path, is: 'absent', isMounted: false };
  if (!found.isDirectory()) throw new RelayError('relay.restore.bad-data-folder', `${path} is no folder. Check the configuration's "data".`);
  const names = (await readdir(path)).filter((name) => name !== LOST_AND_FOUND);
  return { path, is: names.length === 0 ? 'empty' : 'full', isMounted: found.dev !== (await stat(dirname(resolve(path)))).dev };
}

/** Throws `relay.restore.data-folder-not-empty` when what is there may not be moved aside, or cannot be. */
export function mustBeFree({ path, is, isMounted }: DataFolder, mayReplace: boolean): void {
  if (is !== 'full') return;
  if (!mayReplace)
    throw new RelayError(
      'relay.restore.data-folder-not-empty',
      `There is a relay's state in ${path} already. Nothing was changed. To put the backup in its place, add --replace: what is there is moved aside, not deleted.`,
    );
  if (isMounted)
    throw new RelayError(
      'relay.restore.data-folder-not-empty',
      `${path} is a file system of its own, which cannot be moved aside. Move what is in it elsewhere yourself, then restore.`,
    );
}

/** Throws `relay.restore.no-room` when the file system has less than `bytes`, and a reserve, left. */
export async function mustHaveRoom(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(await existingAbove(path));
  const free = bavail * bsize;
  if (bytes + RESERVE_BYTES <= free) return;
  throw new RelayError(
    'relay.restore.no-room',
    `The backup needs ${roughSize(bytes)} in ${dirname(path)}, and ${roughSize(free)} are free. Nothing was changed. Make room, or name another folder with --data.`,
  );
}

/** A new, empty folder on the same file system, in which the state is made ready. */
export async function makeStaging({ path, isMounted }: DataFolder, name: string): Promise<string> {
  const staging = isMounted ? join(path, `.${name}`) : join(dirname(path), `.${basename(path)}.${name}`);
  await makePrivateFolder(dirname(staging));
  await mkdir(staging, { mode: 0o700 });
  return staging;
}

/** Puts the staged state into the folder's place. What was there is moved to `aside`, which is returned if something was. */
export async function putInPlace(staging: string, { path, is, isMounted }: DataFolder, aside: string): Promise<string | undefined> {
  if (isMounted) {
    for (const name of await readdir(staging)) await rename(join(staging, name), join(path, name));
    await rmdir(staging);
    await syncFolder(path);
    return undefined;
  }
  if (is === 'full') await rename(path, aside);
  await rename(staging, path);
  await syncFolder(dirname(path));
  return is === 'full' ? aside : undefined;
}

/** Who owns what is restored. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Gives a folder and all in it to somebody. Links are not followed. */
export async function giveTo(owner: Owner, path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const at = join(path, entry.name);
    if (entry.isDirectory()) await giveTo(owner, at);
    else await chown(at, owner.uid, owner.gid);
  }
  await chown(path, owner.uid, owner.gid);
}

/** The next folder above that exists. */
export async function existingAbove(path: string): Promise<string> {
  const exists = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return exists || dirname(path) === path ? path : await existingAbove(dirname(path));
}

/** Removes a staging folder that is not needed any more. */
export async function removeStaging(staging: string): Promise<void> {
  await rm(staging, { recursive: true, force: true });
}
