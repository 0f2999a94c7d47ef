/** A look at what a workspace has kept, record by record. */
import { hash } from 'node:crypto';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Stage } from '../staging/stage.ts';
import type { KeptRow } from '../tables/kept-rows.ts';
import type { ReceiptReader } from './receipt-reader.ts';

/** A record as it was kept, with its tags. */
export interface StoredRecord {
  /** The place of the POST that brought it among all that the workspace took, and the record's place within it. */
  readonly seq: number;
  readonly row: number;
  readonly workspaceId: string;
  readonly agentId: string;
  readonly dataType: string;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  /** ISO 8601, UTC: the record's own time, or `receivedAt` where that is out of the service's bounds. */
  readonly timeGenerated: string;
  /** SHA-256 of the data's JSON, in hexadecimal digits. */
  readonly contentHash: string;
  readonly batchId: string;
  /** How it came: straight from the agent, or through a relay. */
  readonly way: 'direct' | 'relay';
  readonly data: unknown;
}

export interface RecordFilter {
  /** Compared without regard to case. */
  readonly dataType?: string | undefined;
  /** ISO 8601, UTC, as `toISOString` writes it: received then or later. */
  readonly since?: string | undefined;
  /** A text that the record's JSON holds. */
  readonly where?: string | undefined;
  /** How many at most. */
  readonly limit: number;
}

/** What a running one may be asked for at once. */
export const MAX_QUERY_RECORDS = 10_000;

/** What is already in the tables and what is staged, alike. Throws `relay.local-workspace.tables-closed` without the workspace's key. */
export interface StoredRecords {
  /** The newest records that match, the oldest of them first. */
  newest(filter: RecordFilter): Promise<readonly StoredRecord[]>;
  /** The records that match and came behind this place, the oldest first. */
  following(after: Pick<StoredRecord, 'seq' | 'row'>, filter: RecordFilter): Promise<readonly StoredRecord[]>;
}

export function createStoredRecords(stage: Pick<Stage, 'settle' | 'ask'>, receipts: Pick<ReceiptReader, 'batch'>, workspaceId: WorkspaceId): StoredRecords {
  const find = async (
    { since, ...filter }: RecordFilter,
    more: { end: 'newest' } | { end: 'oldest'; after: { seq: number; row: number } },
  ): Promise<StoredRecord[]> => {
    await stage.settle();
    const rows = await stage.ask('rows', { ...filter, ...more, since: since === undefined ? undefined : Date.parse(since) });
    return rows.flatMap((row) => recordOf(row) ?? []);
  };
  // Rows of Logs Ingestion, and the workspace's own, came in no batch.
  const recordOf = ({ seq, row, agentId, dataType, data, timeReceived, timeGenerated }: KeptRow): StoredRecord | undefined => {
    const batch = receipts.batch(seq);
    if (!batch) return undefined;
    const times = { receivedAt: new Date(timeReceived).toISOString(), timeGenerated: new Date(timeGenerated).toISOString() };
    return { seq, row, workspaceId, agentId, dataType, ...times, contentHash: hash('sha256', JSON.stringify(data)), ...batch, data };
  };
  return {
    newest: (filter) => find(filter, { end: 'newest' }),
    following: (after, filter) => find(filter, { end: 'oldest', after }),
  };
}
