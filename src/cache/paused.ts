import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { readFileIfAny, writeFileAtomic } from '../files.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';

/** Workspaces to which an operator lets nothing be sent for now. It outlives the process. */
export interface PausedWorkspaces {
  has(workspaceId: WorkspaceId): boolean;
  /** Resolves when it is on stable storage. */
  set(workspaceId: WorkspaceId, isPaused: boolean): Promise<void>;
}

const content = z.strictObject({ paused: z.array(z.string()) });

/** Reads the file, if there is one. Throws `relay.cache.bad-file` when it is none of ours. */
export async function openPausedWorkspaces(path: string): Promise<PausedWorkspaces> {
  const paused = new Set<string>(await read(path));
  let writing = Promise.resolve();

  return {
    has: (workspaceId) => paused.has(workspaceId),
    set(workspaceId, isPaused) {
      const change = writing.then(async () => {
        const next = [...paused].filter((id) => id !== workspaceId).concat(isPaused ? workspaceId : []);
        await writeFileAtomic(path, `${JSON.stringify({ paused: next })}\n`);
        if (isPaused) paused.add(workspaceId);
        else paused.delete(workspaceId);
      });
      writing = change.catch(() => {});
      return change;
    },
  };
}

async function read(path: string): Promise<readonly string[]> {
  const bytes = await readFileIfAny(path);
  if (!bytes) return [];
  try {
    return content.parse(JSON.parse(bytes.toString('utf8'))).paused;
  } catch (cause) {
    throw new RelayError('relay.cache.bad-file', `${path} does not say which workspaces are paused. Delete it; nothing is paused then.`, { cause });
  }
}
