import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { DataCount } from './upload.ts';

/** A record as it was kept, with its tags. */
export interface StoredRecord {
  /** Grows with each record of the workspace. */
  readonly seq: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataType: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** The record's own time, as its sender wrote it. */
  readonly timeGenerated: string | null;
  /** SHA-256 of the record's JSON, in hexadecimal digits. */
  readonly contentHash: string;
  /** The POST that brought it: its place among the workspace's batches, and its id. */
  readonly batchSeq: number;
  readonly batchId: string;
  /** How it came: straight from the agent, or through a relay. */
  readonly way: 'direct' | 'relay';
  readonly data: unknown;
}

/** What came more than once, of one data type: how many beyond the first. */
export interface DuplicateCount {
  readonly workspaceId: string;
  readonly dataType: string;
  readonly batches: number;
  /** Batches whose id another one had before. */
  readonly sameId: number;
  /** Batches of the same agent whose bytes another one had before, whatever their ids. */
  readonly sameContent: number;
  readonly records: number;
  /** Records of the same agent whose JSON another one had before; some senders say the same twice on purpose. */
  readonly sameRecords: number;
}

export interface RecordFilter {
  /** Compared without regard to case. */
  readonly dataType?: string | undefined;
  /** ISO 8601, UTC, as `toISOString` writes it: received then or later. */
  readonly since?: string | undefined;
  /** A text that the record's JSON holds. */
  readonly where?: string | undefined;
  /** How many at most: 1 to 10,000. */
  readonly limit: number;
}

export const MAX_QUERY_RECORDS = 10_000;

/** Reads what a workspace has kept. */
export interface StoreReader {
  count(): readonly DataCount[];
  duplicates(): readonly DuplicateCount[];
  batchIds(): readonly string[];
  /** The newest records that match, the oldest of them first. */
  newest(filter: RecordFilter): readonly StoredRecord[];
  /** The records that match and came after the one with this number, the oldest first. */
  following(seq: number, filter: RecordFilter): readonly StoredRecord[];
}

const COUNT = `
  SELECT data_type AS dataType, count(*) AS batches, sum(sender_id = agent_id) AS direct, count(DISTINCT batch_id) AS distinctBatches, sum(repeated) AS repeated, sum(records) AS records, sum(bytes) AS bytes
  FROM batches GROUP BY data_type ORDER BY data_type`;

const DUPLICATES = `
  SELECT b.dataType, b.batches, b.sameId, b.sameContent, b.records, coalesce(r.sameRecords, 0) AS sameRecords FROM
    (SELECT data_type AS dataType, count(*) AS batches, count(*) - count(DISTINCT batch_id) AS sameId,
      count(*) - count(DISTINCT agent_id || ' ' || sha256) AS sameContent, sum(records) AS records FROM batches GROUP BY data_type) b
    LEFT JOIN (SELECT data_type AS dataType, count(*) - count(DISTINCT agent_id || ' ' || content_hash) AS sameRecords FROM records GROUP BY data_type) r
    ON r.dataType = b.dataType
  ORDER BY b.dataType`;

const SELECT = `
  SELECT r.seq, r.workspace_id AS workspaceId, r.agent_id AS agentId, r.data_type AS dataType, r.received_at AS receivedAt, r.time_generated AS timeGenerated,
    r.content_hash AS contentHash, r.batch_seq AS batchSeq, b.batch_id AS batchId, iif(b.sender_id = b.agent_id, 'direct', 'relay') AS way, r.data
  FROM records r JOIN batches b ON b.seq = r.batch_seq
  WHERE (?1 IS NULL OR r.data_type = ?1 COLLATE NOCASE) AND (?2 IS NULL OR r.received_at >= ?2) AND (?3 IS NULL OR instr(r.data, ?3) > 0)`;

/** `database` may be open for reading only; it stays the caller's. */
export function createStoreReader(database: DatabaseSync, workspaceId: WorkspaceId): StoreReader {
  const counts = database.prepare(COUNT);
  const duplicates = database.prepare(DUPLICATES);
  const ids = database.prepare('SELECT batch_id AS batchId FROM batches WHERE repeated = 0 ORDER BY seq');
  const newest = database.prepare(`${SELECT} ORDER BY r.seq DESC LIMIT ?4`);
  const following = database.prepare(`${SELECT} AND r.seq > ?5 ORDER BY r.seq LIMIT ?4`);

  return {
    count: () => counts.all().map((row) => ({ workspaceId, ...row }) as unknown as DataCount),
    duplicates: () => duplicates.all().map((row) => ({ workspaceId, ...row }) as unknown as DuplicateCount),
    batchIds: () => ids.all().map((row) => (row as { batchId: string }).batchId),
    newest: (filter) =>
      newest
        .all(...parametersOf(filter))
        .map(recordOf)
        .reverse(),
    following: (seq, filter) => following.all(...parametersOf(filter), seq).map(recordOf),
  };
}

function parametersOf(filter: RecordFilter): [string | null, string | null, string | null, number] {
  const limit = Math.min(Math.max(Math.trunc(filter.limit), 1), MAX_QUERY_RECORDS);
  return [filter.dataType ?? null, filter.since ?? null, filter.where ?? null, limit];
}

function recordOf(row: unknown): StoredRecord {
  const stored = row as Omit<StoredRecord, 'data'> & { readonly data: string };
  return { ...stored, data: JSON.parse(stored.data) };
}
