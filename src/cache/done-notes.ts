/**
 * What of a segment is done, in a small file beside it, so that a start does not send everything again. Written behind: a crash loses the
 * last moment's notes, which costs duplicates, never data. A note is 8 bytes, big-endian: the group's offset (4), the member's position (2),
 * and the low half of their CRC-32 (2), because a note that a power cut filled with zeros must not pass for one about the first batch.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { readFileIfAny } from '../files.ts';
import type { Format } from '../format.ts';
import { writeAll } from './write-all.ts';

/** The notes bear no number; this is theirs. */
export const DONE_NOTES_FORMAT: Format = { reads: [1], writes: 1 };

const NOTE_BYTES = 8;
const CHECKED_BYTES = 6;

export interface DoneNotes {
  add(offset: number, position: number): void;
  /** Writes what was added since the last call. What could not be written is written by the next call. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createDoneNotes(path: string): DoneNotes {
  let pending: Buffer[] = [];
  let file: { readonly handle: FileHandle; end: number } | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    const notes = [...pending];
    if (notes.length === 0) return;
    file ??= await openNotes(path);
    // By position, not appended: after a write that was cut short the next one begins at a whole note again.
    await writeAll(file.handle, notes, file.end);
    file.end += notes.length * NOTE_BYTES;
    pending = pending.slice(notes.length);
  };
  const flush = (): Promise<void> => {
    writing = writing.then(write, write);
    return writing;
  };

  return {
    add(offset, position) {
      pending.push(encodeNote(offset, position));
    },
    flush,
    async close() {
      try {
        await flush();
      } finally {
        const open = file;
        file = undefined;
        await open?.handle.close();
      }
    },
  };
}

async function openNotes(path: string): Promise<{ handle: FileHandle; end: number }> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  const { size } = await handle.stat();
  return { handle, end: size - (size % NOTE_BYTES) };
}

function encodeNote(offset: number, position: number): Buffer {
  const note = Buffer.allocUnsafe(NOTE_BYTES);
  note.writeUInt32BE(offset, 0);
  note.writeUInt16BE(position, 4);
  note.writeUInt16BE(checkOf(note), CHECKED_BYTES);
  return note;
}

function checkOf(note: Buffer): number {
  return crc32(note.subarray(0, CHECKED_BYTES)) & 0xffff;
}

/** Reads the notes of a segment: the positions that are done, by the group's offset. What is no whole note is left out. */
export async function readDoneNotes(path: string): Promise<Map<number, Set<number>>> {
  const bytes = (await readFileIfAny(path)) ?? Buffer.alloc(0);
  const done = new Map<number, Set<number>>();
  for (let at = 0; at + NOTE_BYTES <= bytes.length; at += NOTE_BYTES) {
    const note = bytes.subarray(at, at + NOTE_BYTES);
    if (note.readUInt16BE(CHECKED_BYTES) !== checkOf(note)) continue;
    const offset = note.readUInt32BE(0);
    const positions = done.get(offset) ?? new Set<number>();
    done.set(offset, positions.add(note.readUInt16BE(4)));
  }
  return done;
}
