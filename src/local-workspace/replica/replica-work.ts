/** What is still to be copied, and in which order: logs, then files, then the catalogue that names them. */
import { RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { Disk } from '../private-storage/place/disk.ts';
import { type CopyParts, copyCatalogue, copyMissing } from './catalogue-copy.ts';
import type { Session } from './session.ts';
import type { ReplicaSource, SourceFile } from './source.ts';

/** After so many other pieces a copy of the catalogue that is due has its turn, or data that keeps coming would put it off for ever. */
const CATALOGUE_WAITS = 50;
/** More files that wait than this, and all are looked through instead. */
const MAX_WAITING = 10_000;

export interface ReplicaWork {
  logGrew(path: string, length: number): void;
  fileSealed(file: SourceFile): void;
  removed(): void;
  /** What changed since the last copy of the catalogue is copied with the next step. */
  catalogueIsDue(): void;
  /** Everything is looked through again. */
  beginAnew(): void;
  /** Does one piece; false when there was none. Throws what a disk says, and what the session's `check` does. */
  step(session: Session, nowMs: number): Promise<boolean>;
  /** How many copies of the catalogue were made: each one after all that it names. */
  passes(): number;
  counts(): { readonly waitingFiles: number; readonly damagedFiles: number; readonly catalogueAt: number | undefined };
}

export interface ReplicaWorkParts {
  readonly source: ReplicaSource;
  readonly folder: string;
  readonly disk: Disk;
  readonly log: Logger;
}

export function createReplicaWork({ source, folder, disk, log }: ReplicaWorkParts): ReplicaWork {
  const grown = new Map<string, number>();
  const damaged = new Set<string>();
  let waiting: SourceFile[] = [];
  let needsAll = true;
  let hasChanged = true;
  let isDue = true;
  let catalogueAt: number | undefined;
  let since = 0;
  let passes = 0;

  const copy = async (parts: CopyParts, file: SourceFile): Promise<void> => {
    try {
      await copyMissing(parts, file);
      damaged.delete(file.path);
    } catch (error) {
      if (!(error instanceof RelayError) || error.code !== 'relay.local-workspace.copy-differs') throw error;
      // The rest of the data must not wait for one file that cannot be read any more.
      if (!damaged.has(file.path)) log.error({ path: file.path, reason: error.message }, 'a file is damaged on the first disk');
      damaged.add(file.path);
    }
  };

  const copyAll = async (parts: CopyParts): Promise<void> => {
    needsAll = false;
    [hasChanged, isDue] = [true, true];
    for (const file of await source.files()) await copy(parts, file).catch(unlessRemoved(source, file));
    for (const { path, bytes } of await source.logs()) await parts.session.log(path).catchUp(bytes).catch(unlessRemoved(source, { path }));
  };

  return {
    logGrew: (path, length) => void grown.set(path, length),
    fileSealed(file) {
      if (waiting.length < MAX_WAITING) waiting.push(file);
      else [waiting, needsAll] = [[], true];
      hasChanged = true;
    },
    removed() {
      hasChanged = true;
    },
    catalogueIsDue() {
      isDue = true;
    },
    beginAnew() {
      grown.clear();
      waiting = [];
      needsAll = true;
    },
    async step(session, nowMs) {
      const parts: CopyParts = { source, session, folder, disk, copy };
      const [log] = grown;
      const file = waiting[0];
      const isTurn = hasChanged && isDue && (since >= CATALOGUE_WAITS || (!log && !file));
      since += 1;
      if (needsAll) await copyAll(parts);
      else if (isTurn) {
        [hasChanged, isDue] = [false, false];
        await copyCatalogue(parts);
        catalogueAt = nowMs;
        [since, passes] = [0, passes + 1];
      } else if (log) {
        grown.delete(log[0]);
        await session
          .log(log[0])
          .catchUp(log[1])
          .catch(unlessRemoved(source, { path: log[0] }));
      } else if (file) {
        waiting.shift();
        await copy(parts, file).catch(unlessRemoved(source, file));
      } else {
        isDue = false;
        return false;
      }
      return true;
    },
    passes: () => passes,
    counts: () => ({ waitingFiles: waiting.length, damagedFiles: damaged.size, catalogueAt }),
  };
}

/** A file or log that is gone from the first disk is none to copy. */
function unlessRemoved(source: ReplicaSource, { path, at }: Pick<SourceFile, 'path' | 'at'>): (error: unknown) => Promise<void> {
  return async (error) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const all: readonly Pick<SourceFile, 'path' | 'at'>[] = [...(await source.files()), ...(await source.logs())];
    const isKnown = all.some((each) => each.path === path && each.at === at);
    if (isKnown) throw error;
  };
}
