import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { TableCount, Tables } from './call.ts';

/** Counts calls in memory and forgets their bodies unread, so that rows and raw bytes stay 0: for measuring what sends to it. */
export function createTableSink(workspaceId: WorkspaceId): Tables {
  const counts = new Map<string, TableCount>();
  return {
    take({ stream: { table }, body }) {
      const before = counts.get(table) ?? { workspaceId, table, calls: 0, rows: 0, wireBytes: 0, rawBytes: 0 };
      counts.set(table, { ...before, calls: before.calls + 1, wireBytes: before.wireBytes + body.length });
      return Promise.resolve(undefined);
    },
    count: () => [...counts.values()],
  };
}
