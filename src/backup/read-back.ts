import { RelayError } from '../errors.ts';
import { openFile } from './age-file.ts';
import { SUMS, type Sum } from './manifest.ts';
import { readArchive } from './read-archive.ts';

/**
 * Reads an archive that was just written, with the passphrase and all, and compares every hash with those of what went in: a backup that cannot be
 * opened is none. Throws `relay.backup.cannot-write`, and what reading throws.
 */
export async function readBack(path: string, passphrase: string, written: readonly Sum[]): Promise<void> {
  const read = await readArchive(await openFile(path, passphrase), () => {});
  const expected = written.filter(({ name }) => name !== SUMS);
  const isSame = read.length === expected.length && expected.every(({ name, sha256 }, at) => read[at]?.name === name && read[at]?.sha256 === sha256);
  if (isSame) return;
  throw new RelayError(
    'relay.backup.cannot-write',
    `What was read back from ${path} is not what was written. Look at the disk, and make the backup elsewhere.`,
  );
}
