import { readdir } from 'node:fs/promises';

/** Names in a folder, sorted, without hidden ones; none where there is no such folder. */
export async function readdirIfAny(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => !name.startsWith('.')).toSorted();
}
