import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { RelayError } from '../../errors.ts';
import type { Disk, DiskFile } from '../private-storage/place/disk.ts';
import { makeFolders } from '../private-storage/place/folders.ts';
import { readPieces } from '../private-storage/place/read-file.ts';
import type { SourceFile } from './source.ts';

/** Where copies are written before they get their names. */
export const DRAFTS = '.relay-drafts';
const PATH = /^(?!\.relay-)[A-Za-z0-9_][A-Za-z0-9._=-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._=-]*)*$/;

/** Whether a path may be one below the folders of a data folder and its replica; it then leads nowhere else. */
export function isCopyPath(path: string): boolean {
  return path.length <= 1_000 && PATH.test(path);
}

/**
 * Copies a file into a folder under the same path, or in the place of what is there; it gets its name once it is on stable storage. Throws
 * `relay.local-workspace.copy-differs` when what was read is not what it ought to be: the source is damaged, and its copy stays as it was.
 */
export async function copyFile(disk: Disk, from: string, folder: string, wanted: SourceFile): Promise<void> {
  await copyAs(disk, from, folder, wanted);
}

/** The same for a file whose hash nobody knows: what was copied. */
export async function copyAs(
  disk: Disk,
  from: string,
  folder: string,
  { path, ...wanted }: Pick<SourceFile, 'path'> & Partial<SourceFile>,
): Promise<SourceFile> {
  if (!isCopyPath(path)) throw badPath(path);
  const draft = join(await makeFolders(disk, folder, DRAFTS), path.replaceAll('/', '__').slice(-200));
  await disk.remove(draft);
  const hash = createHash('sha256');
  let bytes = 0;
  const file: DiskFile = await disk.create(draft, 0o600);
  try {
    for await (const piece of readPieces(from)) {
      hash.update(piece);
      bytes += piece.length;
      await file.write(piece);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  const sha256 = hash.digest('hex');
  if (wanted.sha256 !== undefined && wanted.sha256 !== sha256) {
    await disk.remove(draft);
    throw differs(from);
  }
  if (path.includes('/')) await makeFolders(disk, folder, dirname(path));
  await disk.rename(draft, join(folder, path));
  await disk.syncFolder(dirname(join(folder, path)));
  return { path, bytes, sha256 };
}

function differs(path: string): RelayError {
  return new RelayError(
    'relay.local-workspace.copy-differs',
    `${path} does not hold the bytes that it ought to: its disk is damaged, or it was changed. It was not copied; look whether the other copy is whole with: relay local-workspace replica verify`,
  );
}

function badPath(path: string): RelayError {
  return new RelayError('relay.local-workspace.bad-copy-path', `${JSON.stringify(path.slice(0, 80))} is no path of a data folder. It was not copied.`);
}
