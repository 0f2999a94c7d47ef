/** Keeps uploads in the workspace's database. An upload is taken only after the transaction that holds it is on stable storage. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { createStoreReader } from './store-reader.ts';
import { inTransaction } from './transaction.ts';
import type { Intake, Upload } from './upload.ts';
import { readRecords, type UploadedRecords } from './uploaded-records.ts';

interface Waiting {
  readonly upload: Upload;
  readonly content: UploadedRecords;
  readonly sha256: string;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** Uploads that wait at the same moment share one transaction, and so one wait for the disk. `database` is open for writing and stays the caller's. */
export function createStore(database: DatabaseSync, workspaceId: WorkspaceId): Intake {
  const insert = prepareInsert(database, workspaceId);
  const reader = createStoreReader(database, workspaceId);
  let waiting: Waiting[] = [];

  const commit = (): void => {
    const group = waiting;
    waiting = [];
    try {
      inTransaction(database, () => group.forEach(insert));
      for (const { resolve } of group) resolve();
    } catch (cause) {
      for (const { reject } of group) reject(cause);
    }
  };

  const keep = (upload: Upload, content: UploadedRecords): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ upload, content, sha256: hash('sha256', upload.body), resolve, reject });
      if (waiting.length === 1) setImmediate(commit);
    });

  return {
    async take(upload) {
      const read = await readRecords(upload);
      if (!read.ok) return { outcome: 'refused', refusal: read.refusal };
      await keep(upload, read.value);
      return { outcome: 'taken' };
    },
    count: () => reader.count(),
    batchIds: () => reader.batchIds(),
  };
}

function prepareInsert(database: DatabaseSync, workspaceId: WorkspaceId): (one: Waiting) => void {
  const batch = database.prepare(`
    INSERT INTO batches (batch_id, workspace_id, agent_id, sender_id, data_type, solution, received_at, sha256, bytes, records, repeated)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, EXISTS (SELECT 1 FROM batches WHERE batch_id = ?1))`);
  const record = database.prepare(`
    INSERT INTO records (batch_seq, workspace_id, agent_id, data_type, received_at, content_hash, time_generated, data)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`);

  return ({ upload, content, sha256 }) => {
    const { batchId, agentId, senderId, body } = upload;
    const { dataType, solution, records } = content;
    const receivedAt = new Date(upload.receivedAt).toISOString();
    const row = batch.run(batchId, workspaceId, agentId, senderId, dataType, solution, receivedAt, sha256, body.length, records.length);
    for (const { json, contentHash, timeGenerated } of records) {
      record.run(row.lastInsertRowid, workspaceId, agentId, dataType, receivedAt, contentHash, timeGenerated, json);
    }
  };
}
