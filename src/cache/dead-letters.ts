/**
 * Batches that cannot be delivered, kept for an operator: one file each, `<folder>/<workspace>/<batch id>.letter`. Durable before the batch
 * leaves the cache.
 *
 * A letter that leaves, sent again, discarded or dropped for room, is first renamed to `.leaving`, so that the same batch may become a dead letter
 * again at that moment. What a crash left half way is a letter again at the next start: sent twice or counted twice at worst, never lost unsaid.
 */
import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../batch/batch.ts';
import { openBatch } from '../batch/envelope.ts';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder, writeFileAtomic } from '../files.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { PutOutcome } from './cache.ts';
import { type DeadLetter, type DeadLetterCause, decodeLetter, encodeLetter, readLetter } from './dead-letter.ts';
import { createLetterCatalogue, type KnownLetter, type LetterCount, type LetterFilter } from './letter-catalogue.ts';
import type { Loss, LossReason } from './loss.ts';

export type { DeadLetter, DeadLetterCause } from './dead-letter.ts';
export type { LetterFilter } from './letter-catalogue.ts';

const SUFFIX = '.letter';
const LEAVING = '.leaving';
const DAMAGED = '.damaged';
/** Files read at the same time. */
const AT_ONCE = 32;

export interface DeadLetters {
  put(batch: Batch, cause: DeadLetterCause, at: number): Promise<void>;
  /** The letters that fit, the oldest first. One that is damaged is not among them; the log names it. */
  list(filter?: LetterFilter): Promise<DeadLetter[]>;
  /** The letter with the batch itself; undefined when there is none with that id. */
  open(id: string): Promise<OpenedLetter | undefined>;
  /** Gives the batch to `put`; the letter goes only when it was stored. Undefined when there is none with that id. */
  replay(id: string, put: (batch: Batch) => Promise<PutOutcome>): Promise<PutOutcome | undefined>;
  /** Deletes a letter for good, entered as a loss first; undefined when there is none with that id. */
  discard(id: string): Promise<DeadLetter | undefined>;
  /** Bytes on disk, in all or for one workspace. */
  usedBytes(workspaceId?: WorkspaceId): number;
  /** The letters of one workspace in figures, without a look at the disk. */
  count(workspaceId: WorkspaceId): LetterCount;
}

export interface OpenedLetter {
  readonly letter: DeadLetter;
  readonly batch: Batch;
}

export interface DeadLettersParts {
  /** What the letters of one workspace may take on disk; beyond it the oldest go. */
  readonly limitBytes?: number | undefined;
  /** Enters what is given up, durably; it is kept when that fails. */
  readonly enterLosses?: ((losses: readonly Loss[]) => Promise<void>) | undefined;
  readonly log?: Logger;
}

/** Opens the folder and reads whose letters are in it. */
export async function openDeadLetters(folder: string, keys: KeyRing, parts: DeadLettersParts = {}): Promise<DeadLetters> {
  const { limitBytes = Number.POSITIVE_INFINITY, enterLosses = async () => {}, log = silentLogger } = parts;
  const catalogue = createLetterCatalogue();
  await makePrivateFolder(folder);
  for (const name of await readdir(folder)) {
    const workspaceId = readWorkspaceId(name);
    if (workspaceId) await readWorkspace(workspaceId);
  }

  function pathOf({ workspaceId, id }: Pick<KnownLetter, 'workspaceId' | 'id'>, suffix = SUFFIX): string {
    return join(folder, workspaceId, id + suffix);
  }

  async function readWorkspace(workspaceId: WorkspaceId): Promise<void> {
    const names = await readdir(join(folder, workspaceId));
    await eachOf(
      names.filter((name) => name.includes(LEAVING)),
      (name) => rename(join(folder, workspaceId, name), join(folder, workspaceId, name.slice(0, name.indexOf(LEAVING)) + SUFFIX)),
    );
    const letters = new Set(names.filter((name) => name.endsWith(SUFFIX) || name.includes(LEAVING)).map((name) => name.slice(0, name.indexOf('.')) + SUFFIX));
    await eachOf([...letters], (name) => readInto(join(folder, workspaceId, name)));
  }

  async function readInto(path: string): Promise<void> {
    try {
      const { letter, fileBytes } = await readLetter(path);
      catalogue.add(letter, fileBytes);
    } catch (error) {
      await setAside(path, error);
    }
  }

  async function setAside(path: string, error: unknown): Promise<void> {
    const asidePath = path.slice(0, -SUFFIX.length) + DAMAGED;
    log.warn({ reason: messageOf(error), path: asidePath }, 'a dead letter cannot be read; its file was set aside');
    await rename(path, asidePath);
  }

  /** Takes a letter away while `work` decides: true lets it go for good. */
  async function leave<T>(known: KnownLetter, work: (path: string) => Promise<{ readonly isGone: boolean; readonly result: T }>): Promise<T> {
    catalogue.remove(known);
    const path = pathOf(known, `${LEAVING}-${randomUUID()}`);
    let isGone = false;
    try {
      await rename(pathOf(known), path);
      const done = await work(path);
      isGone = done.isGone;
      return done.result;
    } finally {
      // Became the same batch a dead letter again meanwhile, then that is the one to keep.
      if (isGone || catalogue.has(known)) await rm(path, { force: true });
      else
        await rename(path, pathOf(known)).then(
          () => catalogue.restore(known),
          () => catalogue.restore(known),
        );
    }
  }

  const giveUp = async (known: KnownLetter, reason: LossReason): Promise<DeadLetter> =>
    await leave(known, async (path) => {
      const { letter } = await readLetter(path);
      await enterLosses([lossOf(letter, reason)]);
      return { isGone: true, result: letter };
    });

  // Afterwards, so that a batch that is being given up is never without its letter. The one just written stays, however large.
  const dropBeyondLimit = async (written: KnownLetter): Promise<void> => {
    while (catalogue.usedBytes(written.workspaceId) > limitBytes) {
      const oldest = catalogue.oldest(written.workspaceId, written);
      if (!oldest) return;
      try {
        await giveUp(oldest, 'dead-letters-full');
        log.warn({ workspaceId: oldest.workspaceId, letter: oldest.id, limitBytes }, 'dead letters have reached cache.deadLetterLimit; the oldest was dropped');
      } catch (error) {
        if (error instanceof RelayError && error.code === 'relay.cache.damaged') {
          catalogue.remove(oldest);
          await setAside(pathOf(oldest), error).catch(() => {});
          continue;
        }
        return void log.error(
          { workspaceId: oldest.workspaceId, letter: oldest.id, reason: messageOf(error) },
          'a dead letter could not be dropped; they take more than cache.deadLetterLimit',
        );
      }
    }
  };

  const open = async (path: string): Promise<OpenedLetter> => {
    const { letter, sealed } = decodeLetter(await readFile(path), path);
    return { letter, batch: openBatch(sealed, letter, keys) };
  };

  return {
    async put(batch, cause, at) {
      await makePrivateFolder(join(folder, batch.workspaceId));
      const content = encodeLetter(batch, cause, at, keys);
      await writeFileAtomic(pathOf(batch), content);
      // A batch that was refused once more after a crash replaces its letter.
      await dropBeyondLimit(catalogue.add({ ...batch, ...cause, at }, content.length));
    },
    async list(filter = {}) {
      const letters: DeadLetter[] = [];
      for (const part of chunksOf(catalogue.find(filter))) {
        const read = await Promise.allSettled(part.map(async (known) => (await readLetter(pathOf(known))).letter));
        for (const one of read) {
          if (one.status === 'fulfilled') letters.push(one.value);
          else log.warn({ reason: messageOf(one.reason) }, 'a dead letter cannot be read');
        }
      }
      return letters;
    },
    async open(id) {
      const known = catalogue.get(id);
      return known && (await open(pathOf(known)));
    },
    async replay(id, put) {
      const known = catalogue.get(id);
      if (!known) return undefined;
      return await leave(known, async (path) => {
        const result = await put((await open(path)).batch);
        return { isGone: result.outcome === 'stored', result };
      });
    },
    async discard(id) {
      const known = catalogue.get(id);
      return known && (await giveUp(known, 'discarded'));
    },
    usedBytes: catalogue.usedBytes,
    count: catalogue.count,
  };
}

function lossOf({ workspaceId, kind, dataType, agentId, records, bytes, receivedAt }: DeadLetter, reason: LossReason): Loss {
  return { workspaceId, kind, dataType, agentId, reason, batches: 1, records, bytes, firstAt: receivedAt, lastAt: receivedAt };
}

async function eachOf<T>(values: readonly T[], work: (value: T) => Promise<unknown>): Promise<void> {
  for (const part of chunksOf(values)) await Promise.all(part.map(work));
}

function* chunksOf<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < values.length; at += AT_ONCE) yield values.slice(at, at + AT_ONCE);
}
