import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createDoneNotes, type DoneNotes } from './done-notes.ts';
import { readExactly } from './segment-scan.ts';

/** One append-only file of sealed groups, with the notes of what is done beside it. */
export interface Segment {
  readonly name: string;
  readonly notes: DoneNotes;
  bytes: number;
  /** Groups in it that are not done. */
  live: number;
  /** Whether groups may still be appended. */
  writable: boolean;
  /** Appends the chunks in one write and syncs them; returns where they begin. After a failure the segment takes no more. */
  append(chunks: readonly Buffer[]): Promise<number>;
  read(offset: number, length: number): Promise<Buffer>;
  /** No more appends; the file stays readable. */
  seal(): Promise<void>;
  /** Deletes the segment, then its notes: the other way round a crash would send all of it again. */
  remove(): Promise<void>;
  close(): Promise<void>;
}

export const SEGMENT_SUFFIX = '.segment';
export const NOTES_SUFFIX = '.done';

/** A segment that exists (`bytes` long) or, with `create`, a new one. */
export async function openSegment(folder: string, name: string, how: { readonly create: boolean; readonly bytes: number }): Promise<Segment> {
  const path = `${folder}/${name}${SEGMENT_SUFFIX}`;
  const notesPath = `${folder}/${name}${NOTES_SUFFIX}`;
  let file: FileHandle | undefined = how.create ? await open(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600) : undefined;

  const release = async (): Promise<void> => {
    const handle = file;
    file = undefined;
    await handle?.close();
  };

  const segment: Segment = {
    name,
    notes: createDoneNotes(notesPath),
    bytes: how.bytes,
    live: 0,
    writable: how.create,
    async append(chunks) {
      if (!file || !segment.writable) throw new Error(`segment ${name} takes no more groups`);
      const offset = segment.bytes;
      try {
        await writeAll(file, chunks, offset);
        await file.datasync();
      } catch (cause) {
        // After a failed sync nobody knows what is on disk: cut it off, and never write here again.
        segment.writable = false;
        await file.truncate(offset).catch(() => {});
        throw cause;
      }
      segment.bytes += chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      return offset;
    },
    async read(offset, length) {
      if (file) return await readExactly(file, offset, length);
      const handle = await open(path, 'r');
      try {
        return await readExactly(handle, offset, length);
      } finally {
        await handle.close();
      }
    },
    async seal() {
      segment.writable = false;
      await release();
    },
    async remove() {
      segment.writable = false;
      await release();
      await segment.notes.close().catch(() => {});
      await rm(path, { force: true });
      await rm(notesPath, { force: true });
    },
    async close() {
      segment.writable = false;
      await segment.notes.close();
      await release();
    },
  };
  return segment;
}

async function writeAll(file: FileHandle, chunks: readonly Buffer[], offset: number): Promise<void> {
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
