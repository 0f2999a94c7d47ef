/** Folders below a place that is not ours. Invariant: no step goes through a symbolic link, whoever planted it. */
import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { RelayError } from '../../../errors.ts';
import type { Disk } from './disk.ts';

const MAX_DEPTH = 16;

/** Makes the folders of a relative path below `root`, durably; those that are there stay. Throws `relay.local-workspace.not-a-folder`. */
export async function makeFolders(disk: Disk, root: string, relative: string): Promise<string> {
  let path = root;
  for (const name of relative.split('/')) {
    path = join(path, name);
    if (await isFolder(path)) continue;
    await disk.makeFolder(path);
    await disk.syncFolder(dirname(path));
  }
  return path;
}

/** Whether all folders of a relative path are there. Throws `relay.local-workspace.not-a-folder` when one is a link or a file. */
export async function hasFolders(root: string, relative: string): Promise<boolean> {
  let path = root;
  for (const name of relative.split('/')) {
    path = join(path, name);
    if (!(await isFolder(path))) return false;
  }
  return true;
}

async function isFolder(path: string): Promise<boolean> {
  const found = await lstat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw cause;
  });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  throw new RelayError(
    'relay.local-workspace.not-a-folder',
    `${path} is ${found.isSymbolicLink() ? 'a symbolic link' : 'no folder'}, and a folder belongs there. Nothing is read or written through it: look who put it there, and remove it.`,
  );
}

/** What stands below a folder. */
export interface TreeEntry {
  /** Relative to the folder, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'link' | 'other';
}

/** All but folders below `root`, in the order of their names. `leaveOut` names entries, with all below them, that are not looked at. */
export async function* listTree(root: string, leaveOut: (path: string) => boolean = () => false, below = '', depth = 0): AsyncGenerator<TreeEntry> {
  for (const entry of await entriesOf(join(root, below))) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (leaveOut(path)) continue;
    if (!entry.isDirectory()) yield { path, kind: kindOf(entry) };
    else if (depth < MAX_DEPTH) yield* listTree(root, leaveOut, path, depth + 1);
    else yield { path, kind: 'other' };
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function kindOf(entry: Dirent): TreeEntry['kind'] {
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}
