/** A disk that dies at a step, for tests: by a kill (what was written stays), or by a power cut (what was not synced is gone). */
import { existsSync } from 'node:fs';
import { copyFile, type FileHandle, link, mkdtemp, open, rename, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Disk, type DiskFile, realDisk } from '../../../src/local-workspace/private-storage/place/disk.ts';

export type Death = 'kill' | 'power-cut';

export interface CrashingDisk extends Disk {
  /** How many steps were done. */
  steps(): number;
  isDead(): boolean;
  /** Makes the folders as the death leaves them. */
  bury(): Promise<void>;
}

export class Crash extends Error {}

/** Dies at the step with this number, from 1; a write that it dies at is done by half. */
export async function crashingDisk(diesAt: number, death: Death): Promise<CrashingDisk> {
  const attic = await mkdtemp(join(tmpdir(), 'relay-attic-'));
  const unsynced = new Map<string, (() => Promise<void>)[]>();
  const written = new Map<string, { readonly handle: FileHandle; syncedBytes: number }>();
  let steps = 0;
  let isDead = false;
  let kept = 0;

  const step = async <T>(action: () => Promise<T>, half: () => Promise<unknown> = async () => {}): Promise<T> => {
    if (isDead) throw new Crash('the process is dead');
    steps += 1;
    if (steps < diesAt) return await action();
    isDead = true;
    await half();
    throw new Crash(`died at step ${steps}`);
  };
  const undoable = (path: string, undo: () => Promise<void>): void => {
    unsynced.set(dirname(path), [...(unsynced.get(dirname(path)) ?? []), undo]);
  };
  const keep = async (path: string): Promise<string | undefined> => {
    if (!existsSync(path)) return undefined;
    kept += 1;
    const name = join(attic, String(kept));
    await link(path, name).catch(() => copyFile(path, name));
    return name;
  };
  const watched = async (path: string, file: DiskFile): Promise<DiskFile> => {
    const handle = await open(path, 'r+');
    const { ino, size } = await handle.stat();
    const known = written.get(String(ino)) ?? { handle, syncedBytes: size };
    if (known.handle !== handle) await handle.close();
    written.set(String(ino), known);
    return {
      write: (bytes) =>
        step(
          () => file.write(bytes),
          () => file.write(bytes.subarray(0, bytes.length >> 1)),
        ),
      truncate: (bytes) => step(() => file.truncate(bytes)),
      sync: () =>
        step(async () => {
          await file.sync();
          known.syncedBytes = (await known.handle.stat()).size;
        }),
      close: () => file.close(),
    };
  };

  return {
    steps: () => steps,
    isDead: () => isDead,
    create: (path, mode) =>
      step(async () => {
        const file = await realDisk.create(path, mode);
        undoable(path, () => rm(path, { force: true }));
        return await watched(path, file);
      }),
    append: (path) =>
      step(async () => {
        const isNew = !existsSync(path);
        const file = await realDisk.append(path);
        if (isNew) undoable(path, () => rm(path, { force: true }));
        return await watched(path, file);
      }),
    link: (from, to) =>
      step(async () => {
        await realDisk.link(from, to);
        undoable(to, () => rm(to, { force: true }));
      }),
    rename: (from, to) =>
      step(async () => {
        const before = await keep(to);
        await realDisk.rename(from, to);
        undoable(to, async () => {
          await rename(to, from).catch(() => {});
          if (before) await rename(before, to);
        });
      }),
    remove: (path) =>
      step(async () => {
        const before = await keep(path);
        await realDisk.remove(path);
        if (before) undoable(path, () => rename(before, path));
      }),
    makeFolder: (path) =>
      step(async () => {
        await realDisk.makeFolder(path);
        undoable(path, () => rmdir(path).catch(() => {}));
      }),
    syncFolder: (path) =>
      step(async () => {
        await realDisk.syncFolder(path);
        unsynced.delete(path);
      }),
    async bury() {
      isDead = true;
      if (death === 'power-cut') {
        for (const { handle, syncedBytes } of written.values()) await handle.truncate(syncedBytes);
        for (const undo of [...unsynced.values()].flat().reverse()) await undo();
      }
      for (const { handle } of written.values()) await handle.close();
      await rm(attic, { recursive: true, force: true });
    },
  };
}
