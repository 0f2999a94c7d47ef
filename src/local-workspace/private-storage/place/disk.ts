import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { syncFolder } from '../../../files.ts';

/** A file that is being written. */
export interface DiskFile {
  /** Writes all of it, behind what is there. */
  write(bytes: Uint8Array): Promise<void>;
  /** Cuts the file to so many bytes. */
  truncate(bytes: number): Promise<void>;
  /** Returns when what was written is on stable storage. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** What changes files in a place, one step each, as a part: a test lets any step fail. Errors are the operating system's. */
export interface Disk {
  /** Makes a file that must not be there yet; a link counts as one. */
  create(path: string, mode: number): Promise<DiskFile>;
  /** Opens a file to write behind its end, and makes it (0600) when there is none. A link is refused. */
  append(path: string): Promise<DiskFile>;
  /** Gives a file a second name, which must not be there yet. */
  link(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file that is gone already is none to remove. */
  remove(path: string): Promise<void>;
  /** Makes one folder (0700) whose parent is there. */
  makeFolder(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
}

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;

/** The machine's own files. */
export const realDisk: Disk = {
  create: async (path, mode) => diskFile(await open(path, 'wx', mode)),
  append: async (path) => diskFile(await open(path, APPEND, 0o600)),
  link,
  rename,
  remove: (path) => rm(path, { force: true }),
  makeFolder: (path) => mkdir(path, { mode: 0o700 }),
  syncFolder,
};

function diskFile(handle: FileHandle): DiskFile {
  return {
    async write(bytes) {
      for (let from = 0; from < bytes.length; ) from += (await handle.write(bytes, from)).bytesWritten;
    },
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.sync(),
    close: () => handle.close(),
  };
}

/** Puts a whole file in the place of the one of that name, or leaves that one: a draft beside it, synced, renamed. Mode 0600. */
export async function replaceFile(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  const draft = draftOf(path);
  await disk.remove(draft);
  await writeNew(disk, draft, content);
  await disk.rename(draft, path);
  await disk.syncFolder(dirname(path));
}

/** The name under which `replaceFile` writes; a crash may leave it. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.draft`);
}

async function writeNew(disk: Disk, path: string, content: Uint8Array): Promise<void> {
  const file = await disk.create(path, 0o600);
  try {
    await file.write(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
