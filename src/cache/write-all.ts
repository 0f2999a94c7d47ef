import type { FileHandle } from 'node:fs/promises';

/** Writes all chunks from `offset` on, in one system call when the disk takes them. Throws ENOSPC when it takes no more; a part may then be written. */
export async function writeAll(file: FileHandle, chunks: readonly Buffer[], offset: number): Promise<void> {
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const { bytesWritten } = await file.writev(chunks as Buffer[], offset);
  // A short write without an error happens on a disk that is almost full.
  if (bytesWritten < total) await writeRest(file, Buffer.concat(chunks).subarray(bytesWritten), offset + bytesWritten);
}

async function writeRest(file: FileHandle, rest: Buffer, offset: number): Promise<void> {
  for (let written = 0; written < rest.length; ) {
    const { bytesWritten } = await file.write(rest, written, rest.length - written, offset + written);
    if (bytesWritten === 0) throw Object.assign(new Error('the disk took no more bytes'), { code: 'ENOSPC' });
    written += bytesWritten;
  }
}
