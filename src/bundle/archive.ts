import { open } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { RelayError } from '../errors.ts';

/** A file in an archive. */
export interface ArchiveFile {
  readonly file: string;
  readonly text: string;
}

/** Packs files into one `.tar.gz`, all in a folder named `folder`; `at` is their time, in milliseconds since 1970. */
export async function packArchive(folder: string, files: readonly ArchiveFile[], at: number): Promise<Buffer> {
  const archive = pack();
  const packed = buffer(archive.pipe(createGzip()));
  for (const { file, text } of files) archive.entry({ name: `${folder}/${file}`, mode: 0o600, mtime: new Date(at) }, text);
  archive.finalize();
  return await packed;
}

/** Writes a new file that only its owner may read. Throws `relay.bundle.cannot-write`, also when there is one of that name. */
export async function saveArchive(path: string, content: Buffer): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600);
    await file.writeFile(content);
    await file.sync();
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    const advice = exists
      ? 'There is a file of that name already; give another with --out.'
      : 'Check the folder and its rights, or give another place with --out.';
    throw new RelayError('relay.bundle.cannot-write', `The bundle could not be written to ${path}. ${advice}`, { cause });
  }
}
