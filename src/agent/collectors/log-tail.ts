/**
 * Follows one log file by looking at it now and then. A position names its file by inode and by the bytes before the offset, so that
 * renaming (the rest is read from the renamed file first), copying and emptying, and an inode that is used again are all noticed.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FilePosition } from './log-positions.ts';
import { readLines, startOfLast } from './log-window.ts';

const MARK_BYTES = 64;
/** Shorter marks do not tell a copy from another file. */
const MIN_COPY_MARK_BYTES = 16;
/** Rotated files looked through for an unread rest. */
const MAX_ROTATED = 20;
/** A daemon may write to the renamed file for a moment, until it has opened the new one. */
const SETTLED_AFTER_MS = 5_000;

export interface NewLines {
  readonly lines: readonly string[];
  readonly position: FilePosition;
  /** True when the position's file is gone: it was removed, emptied or compressed before its rest was read. */
  readonly restLost: boolean;
}

export interface TailOptions {
  /** Lines taken from the end of a file without a position. */
  readonly firstLines: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The next lines after `position`, at most 1000 or 512 KiB; undefined when there is nothing new, or no file. Throws when the file may not be read. */
export async function readNewLines(path: string, position: FilePosition | undefined, options: TailOptions): Promise<NewLines | undefined> {
  await using file = await openIfAny(path);
  if (!position) return file && (await begin(file, options.firstLines));
  if (file && (await isSame(file, position))) return await readOn(file, position, false);
  return await acrossRotation(path, file, position, options.now);
}

async function begin(file: FileHandle, firstLines: number): Promise<NewLines> {
  return await readFrom(file, await startOfLast(file, firstLines), false);
}

async function readOn(file: FileHandle, position: FilePosition, final: boolean): Promise<NewLines | undefined> {
  const found = await readFrom(file, position.offset, final);
  return found.position.offset > position.offset ? found : undefined;
}

async function readFrom(file: FileHandle, start: number, final: boolean): Promise<NewLines> {
  const { lines, offset } = await readLines(file, start, final);
  const { ino } = await file.stat();
  return { lines, position: { inode: ino, offset, mark: await markBefore(file, offset) }, restLost: false };
}

// The files in the order they were written: the rotated ones, the current one last. Reading goes on where the position is, then with the next.
async function acrossRotation(path: string, current: FileHandle | undefined, position: FilePosition, now: number): Promise<NewLines | undefined> {
  const rotated = await rotatedFiles(path);
  for (const [index, name] of rotated.entries()) {
    await using file = await openIfAny(name);
    if (!file || !(await isSame(file, position, true))) continue;
    const settled = now - (await file.stat()).mtimeMs >= SETTLED_AFTER_MS;
    const rest = await readOn(file, position, settled);
    if (rest || !settled) return rest;
    await using next = await openIfAny(rotated[index + 1] ?? path);
    return next && (await readFrom(next, 0, false));
  }
  return current && { ...(await readFrom(current, 0, false)), restLost: true };
}

async function rotatedFiles(path: string): Promise<string[]> {
  const names = (await readdir(dirname(path))).filter((name) => isRotated(name, basename(path))).map((name) => join(dirname(path), name));
  const dated = await Promise.all(
    names.map(async (name) => ({
      name,
      changed: await stat(name).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  return dated
    .sort((a, b) => a.changed - b.changed)
    .slice(-MAX_ROTATED)
    .map(({ name }) => name);
}

// logrotate's `.1` and `-20260102`; compressed ones cannot be followed.
function isRotated(name: string, current: string): boolean {
  return name.startsWith(current) && /^[.-][\d.-]{1,20}$/.test(name.slice(current.length));
}

// `asCopy`: a copy has another inode, so there the bytes alone decide.
async function isSame(file: FileHandle, position: FilePosition, asCopy = false): Promise<boolean> {
  const { ino, size } = await file.stat();
  if (size < position.offset) return false;
  if (ino !== position.inode && !(asCopy && Buffer.from(position.mark, 'base64').length >= MIN_COPY_MARK_BYTES)) return false;
  return (await markBefore(file, position.offset)) === position.mark;
}

async function markBefore(file: FileHandle, offset: number): Promise<string> {
  const length = Math.min(offset, MARK_BYTES);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, offset - length);
  return buffer.toString('base64', 0, bytesRead);
}

async function openIfAny(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}
