/**
 * Batches that cannot be delivered, kept for an operator: one file each, `<folder>/<workspace>/<batch id>.letter`: a line of JSON that
 * tells whose it is and why, then the sealed batch. Durable before the batch leaves the cache.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../batch/batch.ts';
import { openBatch, sealBatch } from '../batch/envelope.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, writeFileAtomic } from '../files.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';

const SUFFIX = '.letter';

/** Why a batch is a dead letter. */
export interface DeadLetterCause {
  /** `refused`: upstream would not take its content; `quarantined`: an agent sent it, but nobody can make sense of it. */
  readonly reason: 'refused' | 'quarantined';
  /** Upstream's answer, or what is wrong with the content. */
  readonly answer: string;
  /** Upstream's HTTP status, when there was one. */
  readonly status?: number;
}

/** A dead letter without its content. */
export interface DeadLetter extends DeadLetterCause, Pick<Batch, 'id' | 'workspaceId' | 'agentId' | 'kind' | 'dataType' | 'receivedAt'> {
  readonly bytes: number;
  /** When it was given up, in milliseconds since 1970. */
  readonly at: number;
}

export interface DeadLetters {
  put(batch: Batch, cause: DeadLetterCause, at: number): Promise<void>;
  /** All letters, of one workspace or of all, the oldest first. */
  list(workspaceId?: WorkspaceId): Promise<DeadLetter[]>;
  /** The letter with the batch itself; undefined when there is none with that id. */
  open(id: string): Promise<{ readonly letter: DeadLetter; readonly batch: Batch } | undefined>;
  /** Bytes on disk, in all or for one workspace. */
  usedBytes(workspaceId?: WorkspaceId): number;
}

/** Opens the folder and counts what is in it. */
export async function openDeadLetters(folder: string, keys: KeyRing): Promise<DeadLetters> {
  await makePrivateFolder(folder);
  const used = new Map<WorkspaceId, number>();
  for (const { workspaceId, path } of await files()) use(workspaceId, (await stat(path)).size);

  function use(workspaceId: WorkspaceId, bytes: number): void {
    used.set(workspaceId, (used.get(workspaceId) ?? 0) + bytes);
  }

  async function files(): Promise<{ workspaceId: WorkspaceId; path: string }[]> {
    const workspaces = (await readdir(folder)).map(readWorkspaceId).filter((id) => id !== undefined);
    const found = await Promise.all(
      workspaces.map(async (workspaceId) => {
        const names = await readdir(join(folder, workspaceId));
        return names.filter((name) => name.endsWith(SUFFIX)).map((name) => ({ workspaceId, path: join(folder, workspaceId, name) }));
      }),
    );
    return found.flat();
  }

  return {
    async put(batch, cause, at) {
      const { id, workspaceId, agentId, kind, dataType, receivedAt } = batch;
      const letter: DeadLetter = { id, workspaceId, agentId, kind, dataType, receivedAt, bytes: batch.body.length, at, ...cause };
      const content = Buffer.concat([Buffer.from(`${JSON.stringify(letter)}\n`), ...sealBatch(batch, keys)]);
      const path = join(folder, workspaceId, id + SUFFIX);
      await makePrivateFolder(join(folder, workspaceId));
      // A batch that was refused once more after a crash replaces its letter.
      const before = await stat(path).catch(() => undefined);
      await writeFileAtomic(path, content);
      use(workspaceId, content.length - (before?.size ?? 0));
    },
    async list(workspaceId) {
      const wanted = (await files()).filter((file) => workspaceId === undefined || file.workspaceId === workspaceId);
      const letters = await Promise.all(wanted.map(async ({ path }) => split(await readFile(path), path).letter));
      return letters.sort((a, b) => a.at - b.at);
    },
    async open(id) {
      const file = (await files()).find(({ path }) => path.endsWith(`/${id}${SUFFIX}`));
      if (!file) return undefined;
      const { letter, sealed } = split(await readFile(file.path), file.path);
      return { letter, batch: openBatch(sealed, letter, keys) };
    },
    usedBytes: (workspaceId) => (workspaceId ? (used.get(workspaceId) ?? 0) : [...used.values()].reduce((sum, one) => sum + one, 0)),
  };
}

function split(content: Buffer, path: string): { letter: DeadLetter; sealed: Buffer } {
  const end = content.indexOf('\n');
  if (end < 0) throw new RelayError('relay.cache.damaged', `${path} is no dead letter: its first line is missing.`);
  return { letter: JSON.parse(content.toString('utf8', 0, end)) as DeadLetter, sealed: content.subarray(end + 1) };
}
