/**
 * What was taken, and from whom: a line for each entry of the staging log, written once the entry is on stable storage. Lines that a power cut
 * took away are written again from the log, which is kept until they are on stable storage too.
 */
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '../../transaction.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { StagedCall, StagedEntry, StagedUpload } from '../staging/entry.ts';

/** An entry's receipt: its place in the staging log, and how long its body was on the wire. */
export interface Receipt {
  readonly seq: number;
  readonly head: StagedEntry['head'];
  readonly bytes: number;
}

export interface Receipts {
  /** Those written at the same moment share a transaction. Not yet on stable storage when it resolves; one that fails is written with the next that does not. */
  add(receipt: Receipt): Promise<void>;
  /** Whether this exported file was taken back. */
  hasRestored(sha256: string): boolean;
  /** The last place that has a receipt; 0 before the first. */
  lastSeq(): number;
  /** The latest time of receipt, in milliseconds since 1970; 0 before the first. */
  lastReceivedAt(): number;
  /** Puts all receipts on stable storage. */
  sync(): void;
}

interface Waiting {
  readonly receipt: Receipt;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** `database` is a connection for these alone, open for writing; it stays the caller's. */
export function createReceipts(database: DatabaseSync, workspaceId: WorkspaceId): Receipts {
  // The staging log is synced before; what is lost here comes back from there.
  database.exec('PRAGMA synchronous = NORMAL');
  const insert = prepareInsert(database, workspaceId);
  const last = database.prepare(`
    SELECT max((SELECT coalesce(max(seq), 0) FROM batches), (SELECT coalesce(max(seq), 0) FROM calls), (SELECT coalesce(max(seq), 0) FROM restored)) AS seq`);
  const restored = database.prepare('SELECT 1 FROM restored WHERE sha256 = ?');
  const lastTime = database.prepare(`
    SELECT max(coalesce((SELECT received_at FROM batches ORDER BY seq DESC LIMIT 1), ''), coalesce((SELECT received_at FROM calls ORDER BY seq DESC LIMIT 1), ''),
      '1970-01-01T00:00:00.000Z') AS at`);
  let waiting: Waiting[] = [];
  let owed: Receipt[] = [];

  const write = (receipts: readonly Receipt[]): void =>
    inTransaction(database, () => {
      for (const receipt of receipts) insert(receipt);
    });

  // Their entries are in the staging log for good, though their senders were told otherwise: the books must say so.
  const writeOwed = (): void => {
    if (owed.length === 0) return;
    write(owed);
    owed = [];
  };

  const commit = (): void => {
    const group = waiting;
    waiting = [];
    try {
      writeOwed();
      write(group.map(({ receipt }) => receipt));
      for (const { resolve } of group) resolve();
    } catch (cause) {
      owed.push(...group.map(({ receipt }) => receipt));
      for (const { reject } of group) reject(cause);
    }
  };

  return {
    add: (receipt) =>
      new Promise((resolve, reject) => {
        waiting.push({ receipt, resolve, reject });
        if (waiting.length === 1) setImmediate(commit);
      }),
    hasRestored: (sha256) => restored.get(sha256) !== undefined,
    lastSeq: () => (last.get() as { seq: number }).seq,
    lastReceivedAt: () => Date.parse((lastTime.get() as { at: string }).at),
    sync: () => database.exec('PRAGMA wal_checkpoint(FULL)'),
  };
}

function prepareInsert(database: DatabaseSync, workspaceId: WorkspaceId): (receipt: Receipt) => void {
  const batch = database.prepare(`
    INSERT INTO batches (seq, batch_id, workspace_id, agent_id, sender_id, data_type, solution, received_at, sha256, bytes, records, repeated)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, EXISTS (SELECT 1 FROM batches WHERE batch_id = ?2))`);
  const call = database.prepare(`
    INSERT INTO calls (seq, immutable_id, stream, table_name, client_id, request_id, received_at, sha256, wire_bytes, raw_bytes, rows)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);

  const file = database.prepare('INSERT INTO restored (seq, sha256, table_name, rows, received_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');

  const addBatch = (seq: number, bytes: number, head: StagedUpload): void => {
    const { batchId, agentId, senderId, dataType, solution, receivedAt, sha256, records } = head;
    batch.run(seq, batchId, workspaceId, agentId, senderId, dataType, solution, new Date(receivedAt).toISOString(), sha256, bytes, records);
  };
  const addCall = (seq: number, bytes: number, head: StagedCall): void => {
    const { immutableId, stream, table, clientId, requestId, receivedAt, sha256, rawBytes, rows } = head;
    call.run(seq, immutableId, stream, table, clientId, requestId, new Date(receivedAt).toISOString(), sha256, bytes, rawBytes, rows);
  };

  return ({ seq, head, bytes }) => {
    if (head.kind === 'upload') addBatch(seq, bytes, head);
    else if (head.kind === 'call') addCall(seq, bytes, head);
    else if (head.kind === 'restored') file.run(seq, head.sha256, head.table, head.rows, new Date(head.receivedAt).toISOString());
  };
}
