import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { DataCount } from './upload.ts';

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
}

/** The POST that brought an entry of the staging log. */
export interface BatchReceipt {
  readonly batchId: string;
  /** How it came: straight from the agent, or through a relay. */
  readonly way: 'direct' | 'relay';
}

/** Reads what a workspace has taken. */
export interface ReceiptReader {
  count(): readonly DataCount[];
  duplicates(): readonly DuplicateCount[];
  /** The distinct batch ids, in the order in which each came first. */
  batchIds(): readonly string[];
  batch(seq: number): BatchReceipt | undefined;
}

const COUNT = `
  SELECT data_type AS dataType, count(*) AS batches, sum(sender_id = agent_id) AS direct, count(DISTINCT batch_id) AS distinctBatches, sum(repeated) AS repeated, sum(records) AS records, sum(bytes) AS bytes
  FROM batches GROUP BY data_type ORDER BY data_type`;

const DUPLICATES = `
  SELECT data_type AS dataType, count(*) AS batches, count(*) - count(DISTINCT batch_id) AS sameId,
    count(*) - count(DISTINCT agent_id || ' ' || sha256) AS sameContent, sum(records) AS records
  FROM batches GROUP BY data_type ORDER BY data_type`;

const BATCH = `SELECT batch_id AS batchId, iif(sender_id = agent_id, 'direct', 'relay') AS way FROM batches WHERE seq = ?`;

/** `database` may be open for reading only; it stays the caller's. */
export function createReceiptReader(database: DatabaseSync, workspaceId: WorkspaceId): ReceiptReader {
  const counts = database.prepare(COUNT);
  const duplicates = database.prepare(DUPLICATES);
  const ids = database.prepare('SELECT batch_id AS batchId FROM batches WHERE repeated = 0 ORDER BY seq');
  const batch = database.prepare(BATCH);
  return {
    count: () => counts.all().map((row) => ({ workspaceId, ...row }) as unknown as DataCount),
    duplicates: () => duplicates.all().map((row) => ({ workspaceId, ...row }) as unknown as DuplicateCount),
    batchIds: () => ids.all().map((row) => (row as { batchId: string }).batchId),
    batch: (seq) => batch.get(seq) as unknown as BatchReceipt | undefined,
  };
}
