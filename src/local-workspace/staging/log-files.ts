/** The files of a workspace's staging log: `<seq of the first entry>.log`, in the order of their names. */
import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type ReadBytes, readFrame } from './frame.ts';

const NAME = /^(\d{15})\.log$/;

export interface LogFile {
  readonly path: string;
  /** For the file's own key. */
  readonly id: string;
  readonly firstSeq: number;
}

/** The file whose first entry has this place. */
export function logFile(folder: string, firstSeq: number): LogFile {
  const id = String(firstSeq).padStart(15, '0');
  return { path: join(folder, `${id}.log`), id: `staging ${id}`, firstSeq };
}

export function listLogFiles(folder: string): LogFile[] {
  return readdirSync(folder)
    .map((name) => NAME.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .sort()
    .map((digits) => logFile(folder, Number(digits)));
}

/** Reads from an open file. */
export function readerOf(handle: number): ReadBytes {
  return (from, length) => {
    const bytes = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const count = readSync(handle, bytes, read, length - read, from + read);
      if (count === 0) break;
      read += count;
    }
    return bytes.subarray(0, read);
  };
}

/** Where the last file ends: the seq after its last whole entry. What a crash left behind that was never acknowledged, and is cut off. */
export function mendEnd(file: LogFile): number {
  const handle = openSync(file.path, 'r+');
  try {
    const read = readerOf(handle);
    let [at, next] = [0, file.firstSeq];
    for (;;) {
      const found = readFrame(read, at);
      if (found.kind === 'end') return next;
      // A damaged entry at the very end is one that was not finished: what is synced before it is acknowledged, is whole.
      if (found.kind === 'torn' || (found.kind === 'damaged' && found.next >= fstatSync(handle).size)) {
        ftruncateSync(handle, at);
        fdatasyncSync(handle);
        return next;
      }
      if (found.kind === 'frame') next = found.seq + 1;
      at = found.next;
    }
  } finally {
    closeSync(handle);
  }
}
