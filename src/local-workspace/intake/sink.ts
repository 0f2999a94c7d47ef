import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { DataCount, Intake, Upload } from './upload.ts';

/** Counts uploads in memory and forgets their bodies unread: for measuring what sends to it. Takes about 100 bytes per batch id. */
export function createSink(workspaceId: WorkspaceId): Intake {
  const counts = new Map<string, DataCount>();
  const seen = new Set<string>();

  return {
    take(upload) {
      const repeated = seen.has(upload.batchId) ? 1 : 0;
      seen.add(upload.batchId);
      const dataType = nameOf(upload);
      const before = counts.get(dataType) ?? { workspaceId, dataType, batches: 0, direct: 0, distinctBatches: 0, repeated: 0, records: 0, bytes: 0 };
      counts.set(dataType, {
        ...before,
        batches: before.batches + 1,
        direct: before.direct + (upload.senderId === upload.agentId ? 1 : 0),
        distinctBatches: before.distinctBatches + 1 - repeated,
        repeated: before.repeated + repeated,
        bytes: before.bytes + upload.body.length,
      });
      return Promise.resolve({ outcome: 'taken' });
    },
    count: () => [...counts.values()],
    batchIds: () => [...seen],
  };
}

// An envelope's data type is inside the body, which a sink does not open.
function nameOf(upload: Upload): string {
  return upload.content.shape === 'custom' ? upload.content.logType : '(not read)';
}
