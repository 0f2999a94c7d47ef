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

export type Admitted =
  | { readonly admitted: true; readonly release: () => void }
  /** `missingBytes` must go before it fits; undefined when that would not help. */
  | { readonly admitted: false; readonly message: string; readonly missingBytes?: number };

export interface Admission {
  /** Holds room for `bytes` until `release`, so that batches on their way to disk count too. */
  admit(workspaceId: WorkspaceId, bytes: number): Admitted;
}

/** Decides whether one more batch fits as things are. What does not fit is never acknowledged. */
export function createAdmission(limits: AdmissionLimits, usage: Usage): Admission {
  let pendingBytes = 0;
  const pendingOf = new Map<WorkspaceId, number>();
  const hold = (workspaceId: WorkspaceId, bytes: number): void => {
    pendingBytes += bytes;
    pendingOf.set(workspaceId, (pendingOf.get(workspaceId) ?? 0) + bytes);
  };

  const missingFor = (workspaceId: WorkspaceId, bytes: number): { readonly message: string; readonly missingBytes: number } | undefined => {
    const { limitBytes, limitPerWorkspaceBytes: shareBytes = Number.POSITIVE_INFINITY } = limits;
    const used = usage.usedBytes() + pendingBytes;
    const ofWorkspace = usage.usedBytes(workspaceId) + (pendingOf.get(workspaceId) ?? 0);
    const missingBytes = Math.max(used + bytes - limitBytes, ofWorkspace + bytes - shareBytes);
    if (missingBytes <= 0) return undefined;
    const message =
      used + bytes > limitBytes
        ? `The cache is full: ${used} of ${limitBytes} bytes (cache.limit) wait for upstream, and nothing of a lower kind of workspace ${workspaceId} can give way.`
        : `Workspace ${workspaceId} has used its share of the cache: ${ofWorkspace} of ${shareBytes} bytes (cache.limitPerWorkspace), and nothing of a lower kind can give way.`;
    return { message, missingBytes };
  };

  return {
    admit(workspaceId, bytes) {
      const obstacle = usage.obstacle();
      if (obstacle) return { admitted: false, message: obstacle };
      const missing = missingFor(workspaceId, bytes);
      if (missing) return { admitted: false, ...missing };
      hold(workspaceId, bytes);
      return { admitted: true, release: () => hold(workspaceId, -bytes) };
    },
  };
}
