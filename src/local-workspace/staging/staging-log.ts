/**
 * What was taken in, kept until its rows are in the tables. An entry is appended, and on stable storage, before its sender is answered; those
 * that wait at the same moment share one sync.
 * Invariant: after a failed write or sync nobody knows what is on disk: that file takes no more, and the entries of the try were not taken.
 */
import { statSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { RelayError } from '../../errors.ts';
import { makePrivateFolder, syncFolder } from '../../files.ts';
import type { SealerOf } from '../tables/file-sealer.ts';
import type { StagedEntry } from './entry.ts';
import { MAX_BODY_BYTES, writeFrame } from './frame.ts';
import { type LogFile, listLogFiles, logFile, mendEnd } from './log-files.ts';

const FILE_BYTES = 64 * 1024 * 1024;
/** One sync takes at most so much with it, in bytes, so that memory stays bounded and answers do not wait long. */
const GROUP_BYTES = 8 * 1024 * 1024;

export interface StagingLog {
  /** Bytes at its end that were cut off when it was opened: an entry that was not finished, or one that was damaged since. */
  readonly cutBytes: number;
  /** The entry's place; resolves when it is on stable storage. */
  append(entry: StagedEntry): Promise<number>;
  /** The last place that is on stable storage; 0 before the first. */
  lastSeq(): number;
  /** Bytes in all files. */
  bytes(): number;
  /** Whether `removeThrough` would remove anything. */
  canRemove(seq: number): boolean;
  /** Removes the files whose entries all have a place up to this one; the file that is written to only with `evenLast`, and when nothing is under way. */
  removeThrough(seq: number, evenLast?: boolean): Promise<void>;
  /** Waits for what is under way. */
  close(): Promise<void>;
}

export interface StagingLogParts {
  readonly folder: string;
  readonly sealerOf: SealerOf;
  /** The place after which to go on, where the log itself has been emptied. */
  readonly atLeast: number;
  /** A copy elsewhere: resolves when it has these bytes for good. */
  readonly copy?: ((file: LogFile, at: number, bytes: readonly Buffer[]) => Promise<void>) | undefined;
  /** A file takes no more entries at this size. */
  readonly fileBytes?: number;
}

interface Waiting {
  readonly entry: StagedEntry;
  readonly resolve: (seq: number) => void;
  readonly reject: (cause: unknown) => void;
}

interface OpenFile {
  readonly file: LogFile;
  readonly handle: FileHandle;
  bytes: number;
}

/** Opens a workspace's staging log; what a crash left unfinished at its end is cut off. */
export async function openStagingLog(parts: StagingLogParts): Promise<StagingLog> {
  const { folder, sealerOf, fileBytes = FILE_BYTES } = parts;
  await makePrivateFolder(folder);
  const before = listLogFiles(folder);
  const last = before.at(-1);
  const end = last ? mendEnd(last) : { next: 1, cutBytes: 0 };
  let nextSeq = Math.max(end.next, parts.atLeast + 1);
  let files: LogFile[] = before;
  const sizes = new Map<string, number>(before.map(({ path }) => [path, statSync(path).size]));
  let current: OpenFile | undefined;
  let waiting: Waiting[] = [];
  let working: Promise<void> | undefined;
  let isToEnd = false;

  const openFile = async (): Promise<OpenFile> => {
    const file = logFile(folder, nextSeq);
    const handle = await open(file.path, 'a', 0o600);
    await syncFolder(folder);
    files = [...files.filter(({ path }) => path !== file.path), file];
    return { file, handle, bytes: (await handle.stat()).size };
  };

  const closeFile = async (): Promise<void> => {
    const closing = current;
    current = undefined;
    await closing?.handle.close();
  };

  const write = async (group: readonly Waiting[]): Promise<void> => {
    if (current && current.bytes >= fileBytes) await closeFile();
    current ??= await openFile();
    const { file, handle } = current;
    const sealer = sealerOf(file.id);
    const frames = group.flatMap(({ entry }, at) => writeFrame(entry, nextSeq + at, sealer));
    const length = frames.reduce((sum, frame) => sum + frame.length, 0);
    const { bytesWritten } = await handle.writev(frames);
    if (bytesWritten !== length) throw new RangeError(`${bytesWritten} of ${length} bytes were written to ${file.path}`);
    await Promise.all([handle.datasync(), parts.copy?.(file, current.bytes, frames)]);
    current.bytes += length;
    sizes.set(file.path, current.bytes);
  };

  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const group = takeGroup();
      const first = nextSeq;
      try {
        await write(group);
        nextSeq += group.length;
        for (const [at, { resolve }] of group.entries()) resolve(first + at);
        if (isToEnd) await closeFile();
        isToEnd = false;
      } catch (cause) {
        await abandon(group.length);
        for (const { reject } of group) reject(cause);
      }
    }
    working = undefined;
  };

  // Some of the group may be on disk whole: their places are not used again, and the cut below takes them away if it can.
  const abandon = async (entries: number): Promise<void> => {
    const torn = current;
    nextSeq += entries;
    await torn?.handle.truncate(torn.bytes).catch(() => {});
    await closeFile().catch(() => {});
    // A disk that is full for an hour must not leave a file for each try.
    if (torn?.bytes === 0) await remove([torn.file]).catch(() => {});
  };

  const remove = async (done: readonly LogFile[]): Promise<void> => {
    files = files.filter((file) => !done.includes(file));
    for (const { path } of done) {
      sizes.delete(path);
      await rm(path, { force: true });
    }
  };

  const takeGroup = (): Waiting[] => {
    let bytes = 0;
    const end = waiting.findIndex(({ entry }, at) => {
      bytes += entry.body.length;
      return at > 0 && bytes > GROUP_BYTES;
    });
    const group = end < 0 ? waiting : waiting.slice(0, end);
    waiting = end < 0 ? [] : waiting.slice(end);
    return group;
  };

  // A file ends where the next one begins; the last one is still written to.
  const doneThrough = (seq: number): LogFile[] => files.filter((file, at) => file !== current?.file && (files[at + 1]?.firstSeq ?? nextSeq) <= seq + 1);

  return {
    cutBytes: end.cutBytes,
    append(entry) {
      if (entry.body.length > MAX_BODY_BYTES) return Promise.reject(tooLarge(entry));
      return new Promise((resolve, reject) => {
        waiting.push({ entry, resolve, reject });
        // What comes in this turn of the event loop goes together.
        working ??= new Promise<void>((begun) => setImmediate(begun)).then(work);
      });
    },
    lastSeq: () => nextSeq - 1,
    bytes: () => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0),
    canRemove: (seq) => doneThrough(seq).length > 0,
    async removeThrough(seq, evenLast = false) {
      // A file that is written to ends with the group under way, and goes once that is done too.
      if (evenLast && working) isToEnd = true;
      else if (evenLast) await closeFile();
      await remove(doneThrough(seq));
    },
    async close() {
      while (working !== undefined) await working;
      await closeFile();
    },
  };
}

function tooLarge({ body }: StagedEntry): RelayError {
  const message = `An entry of the staging log has at most ${MAX_BODY_BYTES} bytes, found ${body.length}. Send less at a time.`;
  return new RelayError('relay.local-workspace.entry-too-large', message);
}
