import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readWorkspaceId } from '../workspace/workspace-id.ts';
import { type DeadLetter, readLetter } from './dead-letter.ts';

/** What the files of dead letters tell, the oldest first, `most` at most: for a relay that does not run. Damaged ones are left out; none without a folder. */
export async function readLetterFacts(folder: string, most: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  for (const workspace of await namesIn(folder)) {
    if (!readWorkspaceId(workspace)) continue;
    // An id begins with its batch's time, so that names are in the order of age.
    const names = (await namesIn(join(folder, workspace))).filter((name) => name.endsWith('.letter')).sort();
    for (const name of names.slice(0, most)) {
      const read = await readLetter(join(folder, workspace, name)).catch(() => undefined);
      if (read) letters.push(read.letter);
    }
  }
  return letters.sort((a, b) => a.at - b.at).slice(0, most);
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
}
