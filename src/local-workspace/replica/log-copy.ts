/**
 * One append-only log on the replica. Invariant: what it holds is a beginning of the log on the first disk. Appends that wait at the same moment
 * share one sync.
 */
import { dirname, join } from 'node:path';
import type { Disk, DiskFile } from '../private-storage/place/disk.ts';
import { makeFolders } from '../private-storage/place/folders.ts';
import { readPieces } from '../private-storage/place/read-file.ts';

export interface LogCopyParts {
  readonly disk: Disk;
  /** The folder of the source, and of the replica. */
  readonly from: string;
  readonly to: string;
  /** Below both. */
  readonly path: string;
  /** Called before each change; throws when the replica may not be written. */
  readonly check: () => Promise<void>;
}

export interface LogCopy {
  /** Returns when the bytes, which stand at `offset` in the source, are on stable storage, with all that comes before them. */
  append(offset: number, bytes: Uint8Array): Promise<void>;
  /** Copies what the source has up to `length`. */
  catchUp(length: number): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly offset: number;
  readonly bytes: Uint8Array | undefined;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** Nothing is touched before the first call. After a failure the copy compares with the source again before it goes on. */
export function createLogCopy({ disk, from, to, path, check }: LogCopyParts): LogCopy {
  let open: { readonly file: DiskFile; length: number } | undefined;
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;

  const opened = async (sourceLength: number): Promise<{ readonly file: DiskFile; length: number }> => {
    if (open) return open;
    if (path.includes('/')) await makeFolders(disk, to, dirname(path));
    const file = await disk.append(join(to, path));
    try {
      const same = await commonBytes(join(from, path), join(to, path), sourceLength);
      await file.truncate(same);
      await file.sync();
      await disk.syncFolder(dirname(join(to, path)));
      open = { file, length: same };
      return open;
    } catch (cause) {
      await file.close();
      throw cause;
    }
  };

  const writeGroup = async (group: readonly Waiting[]): Promise<void> => {
    await check();
    const now = await opened(group.reduce((least, { offset }) => Math.min(least, offset), Number.POSITIVE_INFINITY));
    for (const { offset, bytes } of group) {
      for await (const piece of readPieces(join(from, path), now.length, offset)) {
        await now.file.write(piece);
        now.length += piece.length;
      }
      if (now.length < offset) throw new Error(`the log ${path} has ${now.length} bytes, and ${offset} were to be copied`);
      const missing = bytes?.subarray(now.length - offset);
      if (missing === undefined || missing.length === 0) continue;
      await now.file.write(missing);
      now.length += missing.length;
    }
    await now.file.sync();
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await writeGroup(group);
        for (const { resolve } of group) resolve();
      } catch (cause) {
        // What is on the disk is not known any more.
        await open?.file.close().catch(() => {});
        open = undefined;
        for (const { reject } of group) reject(cause);
      }
    }
    working = undefined;
  };

  const enter = (offset: number, bytes: Uint8Array | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ offset, bytes, resolve, reject });
      working ??= Promise.resolve().then(work);
    });

  return {
    append: enter,
    catchUp: (length) => enter(length, undefined),
    async close() {
      await working;
      await open?.file.close();
      open = undefined;
    },
  };
}

/** How many bytes at the beginning of two files are the same, `upTo` at most. */
async function commonBytes(one: string, other: string, upTo: number): Promise<number> {
  let same = 0;
  const others = readPieces(other, 0, upTo);
  let piece: Buffer = Buffer.alloc(0);
  try {
    for await (const wanted of readPieces(one, 0, upTo)) {
      for (let at = 0; at < wanted.length; ) {
        if (piece.length === 0) piece = ((await others.next()).value as Buffer | undefined) ?? piece;
        const length = Math.min(piece.length, wanted.length - at);
        if (length === 0) return same;
        const [a, b] = [wanted.subarray(at, at + length), piece.subarray(0, length)];
        if (!a.equals(b)) return same + a.findIndex((byte, index) => byte !== b[index]);
        same += length;
        at += length;
        piece = piece.subarray(length);
      }
    }
    return same;
  } finally {
    await others.return(undefined);
  }
}
