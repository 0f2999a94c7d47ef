import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { hasFolders, listTree } from '../private-storage/place/folders.ts';
import { hashFile } from '../private-storage/place/read-file.ts';
import type { ExportFault, Tell } from './faults.ts';
import { HEAD, MANIFEST, PUBLIC_KEY, UNFINISHED } from './layout.ts';
import type { WantedFile } from './signed-lines.ts';

/** Hashes every file that a line names, and looks for what no line names; remarks. */
export async function checkFiles(folder: string, files: ReadonlyMap<string, WantedFile>, tell: Tell): Promise<string[]> {
  for (const [path, wanted] of files) {
    const fault = await fileFault(folder, path, wanted);
    if (fault) tell({ at: 'file', number: wanted.number, path, ...fault });
  }
  const ours = new Set([MANIFEST, HEAD, PUBLIC_KEY]);
  let drafts = 0;
  const isDraft = (path: string): boolean => {
    const found = path.startsWith(`${UNFINISHED}/`);
    if (found) drafts += 1;
    return found;
  };
  for await (const { path, kind } of listTree(folder, isDraft)) {
    if (ours.has(path) || (kind === 'file' && files.has(path))) continue;
    if (kind === 'link') tell({ at: 'file', fault: 'link', path, message: 'it is a symbolic link, and an export has none' });
    else if (!files.has(path)) tell({ at: 'file', fault: 'added', path, message: 'no line that can be trusted names it' });
  }
  return drafts === 0 ? [] : [`${drafts} drafts in ${UNFINISHED} are no part of the export: a crash leaves them, and a run that is under way`];
}

async function fileFault(folder: string, path: string, wanted: WantedFile): Promise<Pick<ExportFault, 'fault' | 'message'> | undefined> {
  try {
    const isThere = (await hasFolders(folder, path.slice(0, path.lastIndexOf('/')))) && (await lstat(join(folder, path)).catch(() => undefined)) !== undefined;
    if (!isThere) return { fault: 'missing', message: 'it is gone' };
    const { bytes, sha256 } = await hashFile(join(folder, path));
    if (bytes === wanted.bytes && sha256 === wanted.sha256) return undefined;
    const message = bytes === wanted.bytes ? 'its bytes are not those that were written' : `it has ${bytes} bytes, and ${wanted.bytes} were written`;
    return { fault: 'changed', message };
  } catch (error) {
    return { fault: 'changed', message: messageOf(error) };
  }
}
