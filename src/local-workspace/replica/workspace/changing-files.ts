/** Small files of a workspace that are replaced now and then: its wrapped data key, and what belongs to its private storage. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfAny } from '../../../files.ts';
import type { SourceFile } from '../source.ts';
import { freshDraft, nameCopy } from './kept-copies.ts';

/** By the name of their copies. None of them is secret: keys are wrapped. */
export const CHANGING_FILES: Readonly<Record<string, string>> = {
  'data-key': 'data-key.json',
  'storage-key': 'private-storage/data-key.json',
  'storage-link': 'private-storage/link',
};

/** Copies of those that are there. */
export async function copyChangingFiles(workspaceFolder: string): Promise<SourceFile[]> {
  const copies: SourceFile[] = [];
  for (const [what, path] of Object.entries(CHANGING_FILES)) {
    const content = await readFileIfAny(join(workspaceFolder, path));
    if (content === undefined) continue;
    const draft = await freshDraft(workspaceFolder);
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    copies.push(await nameCopy(workspaceFolder, draft, what));
  }
  return copies;
}

/** Changes when one of them is another file than before. */
export async function changingFilesStamp(workspaceFolder: string): Promise<string> {
  const stamps = Object.values(CHANGING_FILES).map(async (path) => {
    const found = await stat(join(workspaceFolder, path)).catch(() => undefined);
    return found ? `${found.ino} ${found.ctimeMs}` : 'none';
  });
  return (await Promise.all(stamps)).join(', ');
}
