import type { WorkspaceId } from '../workspace/workspace-id.ts';

export interface AdmissionLimits {
  readonly limitBytes: number;
  readonly limitPerWorkspaceBytes: number | undefined;
}

/** What counts against the limits, measured when asked. */
export interface Usage {
  /** Bytes kept, in all or for one workspace. */
  usedBytes(workspaceId?: WorkspaceId): number;
  /** Why nothing at all can be taken now, such as a disk or a Redis that is almost full; undefined when all is well. */
  obstacle(): string | undefined;
}

export type Admitted = { readonly admitted: true; readonly release: () => void } | { readonly admitted: false; readonly message: string };

export interface Admission {
  /** Holds room for `bytes` until `release`, so that batches on their way to disk count too. */
  admit(workspaceId: WorkspaceId, bytes: number): Admitted;
}

/** Decides whether one more batch fits. What does not fit is refused, never acknowledged. */
export function createAdmission(limits: AdmissionLimits, usage: Usage): Admission {
  let pendingBytes = 0;
  const pendingOf = new Map<WorkspaceId, number>();
  const hold = (workspaceId: WorkspaceId, bytes: number): void => {
    pendingBytes += bytes;
    pendingOf.set(workspaceId, (pendingOf.get(workspaceId) ?? 0) + bytes);
  };

  return {
    admit(workspaceId, bytes) {
      const obstacle = usage.obstacle();
      if (obstacle) return { admitted: false, message: obstacle };
      if (usage.usedBytes() + pendingBytes + bytes > limits.limitBytes) {
        return { admitted: false, message: `The cache is full: ${usage.usedBytes()} of ${limits.limitBytes} bytes (cache.limit) wait for upstream.` };
      }
      const ofWorkspace = usage.usedBytes(workspaceId) + (pendingOf.get(workspaceId) ?? 0);
      if (limits.limitPerWorkspaceBytes !== undefined && ofWorkspace + bytes > limits.limitPerWorkspaceBytes) {
        return {
          admitted: false,
          message: `Workspace ${workspaceId} has used its share of the cache: ${ofWorkspace} of ${limits.limitPerWorkspaceBytes} bytes (cache.limitPerWorkspace).`,
        };
      }
      hold(workspaceId, bytes);
      return { admitted: true, release: () => hold(workspaceId, -bytes) };
    },
  };
}
