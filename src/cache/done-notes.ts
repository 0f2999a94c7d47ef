/**
 * What of a segment is done, in a small file beside it, so that a start does not send everything again. Written behind: a crash loses the
 * last moment's notes, which costs duplicates, never data. A note is 6 bytes: the group's offset (4) and the member's position (2), big-endian.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { readFileIfAny } from '../files.ts';

const NOTE_BYTES = 6;

export interface DoneNotes {
  add(offset: number, position: number): void;
  /** Writes what was added since the last call. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createDoneNotes(path: string): DoneNotes {
  let pending: Buffer[] = [];
  let file: FileHandle | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    if (pending.length === 0) return;
    const notes = Buffer.concat(pending);
    pending = [];
    file ??= await open(path, 'a', 0o600);
    await file.write(notes);
  };
  const flush = (): Promise<void> => {
    writing = writing.then(write, write);
    return writing;
  };

  return {
    add(offset, position) {
      const note = Buffer.allocUnsafe(NOTE_BYTES);
      note.writeUInt32BE(offset, 0);
      note.writeUInt16BE(position, 4);
      pending.push(note);
    },
    flush,
    async close() {
      await flush();
      await file?.close();
      file = undefined;
    },
  };
}

/** Reads the notes of a segment: the positions that are done, by the group's offset. A half-written last note is left out. */
export async function readDoneNotes(path: string): Promise<Map<number, Set<number>>> {
  const bytes = (await readFileIfAny(path)) ?? Buffer.alloc(0);
  const done = new Map<number, Set<number>>();
  for (let at = 0; at + NOTE_BYTES <= bytes.length; at += NOTE_BYTES) {
    const offset = bytes.readUInt32BE(at);
    const positions = done.get(offset) ?? new Set<number>();
    done.set(offset, positions.add(bytes.readUInt16BE(at + 4)));
  }
  return done;
}
