/**
 * Copies of what changes in place, in a folder of the workspace's own (`replica-copies`): each is made once, whole, under a name with its hash, and
 * never changed, so that the replica takes it as it takes segments.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../../files.ts';
import { hashFile } from '../../private-storage/place/read-file.ts';
import type { SourceFile } from '../source.ts';

/** Below a workspace's folder. */
export const COPIES = 'replica-copies';
const DRAFT = 'draft';
const NAME = /^([A-Za-z0-9-]+)-([0-9a-f]{64})(?:\.sqlite)?$/;

/** Where a copy is written before it has a name; what was left there is removed. */
export async function freshDraft(workspaceFolder: string): Promise<string> {
  const draft = join(workspaceFolder, COPIES, DRAFT);
  for (const path of [draft, `${draft}-journal`, `${draft}-wal`, `${draft}-shm`]) await rm(path, { force: true });
  return draft;
}

/** Gives a draft, which is on stable storage, its name for good. */
export async function nameCopy(workspaceFolder: string, draft: string, what: string, ending = ''): Promise<SourceFile> {
  const facts = await hashFile(draft);
  const path = `${COPIES}/${what}-${facts.sha256}${ending}`;
  await rename(draft, join(workspaceFolder, path));
  await syncFolder(join(workspaceFolder, COPIES));
  return { path, ...facts };
}

/** What a copy is of, by its name; undefined for anything else that lies there. */
export function copyName(path: string): { readonly what: string; readonly sha256: string } | undefined {
  const [, what, sha256] = NAME.exec(path.slice(COPIES.length + 1)) ?? [];
  return what === undefined || sha256 === undefined ? undefined : { what, sha256 };
}

/** The copies that there are, in the order of their names. */
export async function listCopies(workspaceFolder: string): Promise<SourceFile[]> {
  const names = await readdir(join(workspaceFolder, COPIES)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
  const found: SourceFile[] = [];
  for (const name of names.sort()) {
    const path = `${COPIES}/${name}`;
    const sha256 = copyName(path)?.sha256;
    if (sha256 !== undefined) found.push({ path, sha256, bytes: (await stat(join(workspaceFolder, path))).size });
  }
  return found;
}

/** Removes everything that is none of these. */
export async function keepOnly(workspaceFolder: string, kept: readonly Pick<SourceFile, 'path'>[]): Promise<void> {
  const names = new Set(kept.map(({ path }) => path.slice(COPIES.length + 1)));
  for (const name of await readdir(join(workspaceFolder, COPIES))) if (!names.has(name)) await rm(join(workspaceFolder, COPIES, name), { force: true });
}
