import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { listDatabases, openDatabase, openDatabaseToRead } from '../../../src/local-workspace/intake/database.ts';
import { createTableReader } from '../../../src/local-workspace/intake/ingestion/table-reader.ts';
import { createReceiptReader } from '../../../src/local-workspace/intake/receipt-reader.ts';
import { createReceipts } from '../../../src/local-workspace/intake/receipts.ts';
import type { StagedCall, StagedRestored, StagedUpload } from '../../../src/local-workspace/staging/entry.ts';
import { BANK, PLANT, temporaryFolder } from '../rig.ts';

const UPLOAD: StagedUpload = {
  kind: 'upload',
  batchId: 'b-1',
  agentId: 'a',
  senderId: 'a',
  receivedAt: 0,
  content: { shape: 'envelope' },
  encoding: 'identity',
  dataType: 'Syslog',
  solution: '',
  records: 2,
  sha256: '00',
};
const CALL: StagedCall = {
  kind: 'call',
  immutableId: 'dcr-1',
  stream: 'Custom-Syslog',
  table: 'Syslog',
  columns: [],
  clientId: 'c',
  requestId: 'r',
  receivedAt: 0,
  encoding: 'identity',
  sha256: '00',
  rawBytes: 3,
  rows: 1,
};

const RESTORED: StagedRestored = { kind: 'restored', table: 'Syslog', columns: {}, rows: 1, receivedAt: 0, encoding: 'gzip', sha256: '00' };

/** A workspace's file with two uploads, two calls and two restored files in it. */
async function filled(t: TestContext): Promise<{ dataFolder: string; database: DatabaseSync }> {
  const dataFolder = await temporaryFolder(t);
  const database = await openDatabase(dataFolder, BANK);
  t.after(() => database.isOpen && database.close());
  const receipts = createReceipts(database, BANK);
  const taken = [UPLOAD, CALL, RESTORED, UPLOAD, CALL, { ...RESTORED, sha256: '01' }];
  for (const [at, head] of taken.entries()) await receipts.add({ seq: at + 1, head, bytes: 10 });
  return { dataFolder, database };
}

test('no statement changes or removes a receipt, whether of an upload, of a call of Logs Ingestion or of a restored file', async (t) => {
  const { database } = await filled(t);
  for (const table of ['batches', 'calls', 'restored']) {
    const before = database.prepare(`SELECT * FROM ${table}`).all();
    assert.equal(before.length, 2);
    for (const statement of [
      `UPDATE ${table} SET sha256 = 'x'`,
      `DELETE FROM ${table} WHERE seq = (SELECT min(seq) FROM ${table})`,
      `DELETE FROM ${table}`,
      `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table}`,
    ]) {
      assert.throws(() => database.exec(statement), /kept as they came/, statement);
    }
    assert.deepEqual(database.prepare(`SELECT * FROM ${table}`).all(), before);
  }
});

test('a file can be read while it is written, and when nobody writes it', async (t) => {
  const { dataFolder, database } = await filled(t);
  const expected = { records: 4, rows: 2, calls: ['r', 'r'] };
  assert.deepEqual(receiptsIn(dataFolder), expected);
  database.close();
  assert.deepEqual(receiptsIn(dataFolder), expected);
  assert.deepEqual(await listDatabases(dataFolder), [BANK]);
});

function receiptsIn(dataFolder: string): object {
  const database = openDatabaseToRead(dataFolder, BANK);
  try {
    const [batches, calls] = [createReceiptReader(database, BANK), createTableReader(database, BANK)];
    return { records: batches.count()[0]?.records, rows: calls.count()[0]?.rows, calls: calls.calls().map(({ requestId }) => requestId) };
  } finally {
    database.close();
  }
}

test('a file of a newer release, and one that is missing, are refused with its name', async (t) => {
  const { dataFolder, database } = await filled(t);
  database.exec('PRAGMA user_version = 99');
  await assert.rejects(openDatabase(dataFolder, BANK), { code: 'relay.local-workspace.database-unusable', message: /format 99/ });
  assert.throws(() => openDatabaseToRead(dataFolder, PLANT), { code: 'relay.local-workspace.database-unusable', message: /22222222.*\.sqlite/ });
});

test('a file of another workspace is refused to writers and readers, whatever its name', async (t) => {
  const { dataFolder, database } = await filled(t);
  database.close();
  const file = (id: string): string => join(dataFolder, 'workspaces', `${id}.sqlite`);
  await cp(file(BANK), file(PLANT));
  const refused = { code: 'relay.local-workspace.database-unusable', message: new RegExp(`it is of workspace ${BANK}, not of ${PLANT}; put each`) };
  await assert.rejects(openDatabase(dataFolder, PLANT), refused);
  assert.throws(() => openDatabaseToRead(dataFolder, PLANT), refused);
});

test('a file of the release that kept records in the clear is refused to writers and readers, and stays as it was', async (t) => {
  const { dataFolder, database } = await filled(t);
  database.exec('PRAGMA user_version = 1');
  const refused = { code: 'relay.local-workspace.database-unusable', message: /kept records in the clear; begin with an empty data folder/ };
  await assert.rejects(openDatabase(dataFolder, BANK), refused);
  assert.throws(() => openDatabaseToRead(dataFolder, BANK), refused);
  assert.equal((database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version, 1);
});
