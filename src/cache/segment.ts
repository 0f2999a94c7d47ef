import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createDoneNotes, type DoneNotes } from './done-notes.ts';
import { readExactly } from './segment-scan.ts';
import { writeAll } from './write-all.ts';

/** One append-only file of sealed groups, with the notes of what is done beside it. */
export interface Segment {
  readonly name: string;
  readonly notes: DoneNotes;
  bytes: number;
  /** Groups in it that are not done, and the bytes they take. */
  live: number;
  liveBytes: number;
  /** Keys that seal groups in it: they are in use as long as the segment exists. */
  readonly keyIds: Set<string>;
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
    liveBytes: 0,
    keyIds: new Set(),
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
      try {
        await segment.notes.close();
      } finally {
        await release();
      }
    },
  };
  return segment;
}
