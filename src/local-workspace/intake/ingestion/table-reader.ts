import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import type { StoredCall, TableCount } from './call.ts';

/** Reads what Logs Ingestion brought to a workspace. */
export interface TableReader {
  count(): readonly TableCount[];
  /** In the order in which they came. */
  calls(): readonly StoredCall[];
}

const COUNT = `
  SELECT table_name AS "table", count(*) AS calls, sum(rows) AS rows, sum(wire_bytes) AS wireBytes, sum(raw_bytes) AS rawBytes
  FROM calls GROUP BY table_name ORDER BY table_name`;

const CALLS = `
  SELECT seq, immutable_id AS immutableId, stream, table_name AS "table", client_id AS clientId, request_id AS requestId, received_at AS receivedAt,
    sha256, wire_bytes AS wireBytes, raw_bytes AS rawBytes, rows
  FROM calls ORDER BY seq`;

/** `database` may be open for reading only; it stays the caller's. */
export function createTableReader(database: DatabaseSync, workspaceId: WorkspaceId): TableReader {
  const [count, calls] = [database.prepare(COUNT), database.prepare(CALLS)];
  return {
    count: () => count.all().map((row) => ({ workspaceId, ...row }) as unknown as TableCount),
    calls: () => calls.all() as unknown as StoredCall[],
  };
}
