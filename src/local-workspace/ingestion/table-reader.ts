import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { StoredCall, TableCount, TableRow } from './call.ts';

const ALL = -1;

/** Which rows to read; the newest where there are more than `limit`. */
export interface RowFilter {
  /** Compared without regard to case. */
  readonly table: string;
  /** ISO 8601, UTC: received then or later. */
  readonly since?: string | undefined;
  /** A text that the row's JSON holds. */
  readonly where?: string | undefined;
  readonly limit?: number | undefined;
}

/** Reads what Logs Ingestion brought to a workspace. */
export interface TableReader {
  count(): readonly TableCount[];
  calls(): readonly StoredCall[];
  /** In the order in which they came. */
  rows(filter: RowFilter): readonly TableRow[];
}

const COUNT = `
  SELECT table_name AS "table", count(*) AS calls, sum(rows) AS rows, sum(wire_bytes) AS wireBytes, sum(raw_bytes) AS rawBytes
  FROM calls GROUP BY table_name ORDER BY table_name`;

const CALLS = `
  SELECT seq, immutable_id AS immutableId, stream, table_name AS "table", client_id AS clientId, request_id AS requestId, received_at AS receivedAt,
    sha256, wire_bytes AS wireBytes, raw_bytes AS rawBytes, rows
  FROM calls ORDER BY seq`;

const ROWS = `
  SELECT time_received AS timeReceived, data FROM rows
  WHERE table_name = ?1 COLLATE NOCASE AND (?2 IS NULL OR time_received >= ?2) AND (?3 IS NULL OR instr(data, ?3) > 0)
  ORDER BY seq DESC LIMIT ?4`;

/** `database` may be open for reading only, and older than these tables; it stays the caller's. */
export function createTableReader(database: DatabaseSync, workspaceId: WorkspaceId): TableReader {
  const known = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'calls'").get() !== undefined;
  const read = (sql: string): Pick<StatementSync, 'all'> => (known ? database.prepare(sql) : { all: () => [] });
  const [count, calls, rows] = [read(COUNT), read(CALLS), read(ROWS)];
  return {
    count: () => count.all().map((row) => ({ workspaceId, ...row }) as unknown as TableCount),
    calls: () => calls.all() as unknown as StoredCall[],
    rows: ({ table, since, where, limit }) =>
      rows
        .all(table, since ?? null, where ?? null, limit ?? ALL)
        .map(rowOf)
        .reverse(),
  };
}

function rowOf(row: unknown): TableRow {
  const { timeReceived, data } = row as { readonly timeReceived: string; readonly data: string };
  return { ...(JSON.parse(data) as Record<string, unknown> & { TimeGenerated: string }), _TimeReceived: timeReceived };
}
