/** Keeps rows in the workspace's database, by table. A call is answered only after the transaction that holds it is on stable storage. */
import { hash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import { inTransaction } from '../transaction.ts';
import type { Call, Tables } from './call.ts';
import { type ReadRows, readRows } from './rows.ts';
import { createTableReader } from './table-reader.ts';

interface Waiting {
  readonly call: Call;
  readonly read: ReadRows;
  readonly resolve: () => void;
  readonly reject: (cause: unknown) => void;
}

/** Calls that wait at the same moment share one transaction. `database` is open for writing and stays the caller's. */
export function createTableStore(database: DatabaseSync, workspaceId: WorkspaceId): Tables {
  const reader = createTableReader(database, workspaceId);
  const insert = prepareInsert(database);
  let waiting: Waiting[] = [];

  const commit = (): void => {
    const group = waiting;
    waiting = [];
    try {
      inTransaction(database, () => {
        for (const { call, read } of group) insert(call, read);
      });
      for (const { resolve } of group) resolve();
    } catch (cause) {
      for (const { reject } of group) reject(cause);
    }
  };

  const keep = (call: Call, read: ReadRows): Promise<void> =>
    new Promise((resolve, reject) => {
      waiting.push({ call, read, resolve, reject });
      if (waiting.length === 1) setImmediate(commit);
    });

  return {
    async take(call) {
      const read = await readRows(call.body, call.isGzip, call.stream, call.receivedAt);
      if (!read.ok) return read.refusal;
      await keep(call, read);
      return undefined;
    },
    count: () => reader.count(),
  };
}

function prepareInsert(database: DatabaseSync): (call: Call, read: ReadRows) => void {
  const saveCall = database.prepare(`
    INSERT INTO calls (immutable_id, stream, table_name, client_id, request_id, received_at, sha256, wire_bytes, raw_bytes, rows)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const saveRow = database.prepare('INSERT INTO rows (call_seq, table_name, time_generated, time_received, data) VALUES (?, ?, ?, ?, ?)');

  return (call, { rows, rawBytes }) => {
    const { rule, streamName, stream, clientId, requestId, body } = call;
    const { table } = stream;
    const receivedAt = new Date(call.receivedAt).toISOString();
    const sha256 = hash('sha256', body);
    const saved = saveCall.run(rule.immutableId, streamName, table, clientId, requestId, receivedAt, sha256, body.length, rawBytes, rows.length);
    for (const { timeGenerated, json } of rows) saveRow.run(saved.lastInsertRowid, table, timeGenerated, receivedAt, json);
  };
}
