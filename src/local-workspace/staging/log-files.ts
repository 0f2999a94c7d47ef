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

/** The folder of a workspace's staging log, in the workspace's own folder. */
export function stagingFolder(folder: string): string {
  return join(folder, 'staging');
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

/** Where a log's last file ends: the seq after its last whole entry, and how many bytes behind that were cut off: what a crash left, never acknowledged. */
export function mendEnd(file: LogFile): { readonly next: number; readonly cutBytes: number } {
  const handle = openSync(file.path, 'r+');
  try {
    const read = readerOf(handle);
    let [at, next] = [0, file.firstSeq];
    for (;;) {
      const found = readFrame(read, at);
      if (found.kind === 'end') return { next, cutBytes: 0 };
      // A damaged entry at the very end is one that was not finished: what is synced before it is acknowledged, is whole.
      const { size } = fstatSync(handle);
      if (found.kind === 'torn' || (found.kind === 'damaged' && found.next >= size)) {
        ftruncateSync(handle, at);
        fdatasyncSync(handle);
        return { next, cutBytes: size - at };
      }
      if (found.kind === 'frame') next = found.seq + 1;
      at = found.next;
    }
  } finally {
    closeSync(handle);
  }
}
