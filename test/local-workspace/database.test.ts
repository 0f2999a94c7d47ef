import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { listDatabases, openDatabase, openDatabaseToRead } from '../../src/local-workspace/database.ts';
import { createTableReader } from '../../src/local-workspace/ingestion/table-reader.ts';
import { createStore } from '../../src/local-workspace/store.ts';
import { createStoreReader } from '../../src/local-workspace/store-reader.ts';
import type { Upload } from '../../src/local-workspace/upload.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, PLANT, temporaryFolder } from './rig.ts';

const AGENT = parseAgentId(randomUUID());

function upload(dataType: string, items: readonly object[], receivedAt = Date.now()): Upload {
  const body = Buffer.from(JSON.stringify({ DataType: dataType, DataItems: items }));
  return { batchId: randomUUID(), agentId: AGENT, senderId: AGENT, receivedAt, content: { shape: 'envelope' }, encoding: 'identity', body };
}

async function filled(t: TestContext): Promise<{ dataFolder: string; database: DatabaseSync }> {
  const dataFolder = await temporaryFolder(t);
  const database = await openDatabase(dataFolder, BANK);
  t.after(() => database.close());
  const store = createStore(database, BANK);
  for (let at = 0; at < 3; at += 1) {
    await store.take(upload(at === 1 ? 'Perf' : 'Syslog', [{ n: at, text: `number ${at}` }], Date.UTC(2026, 10, 23, 8, at)));
  }
  return { dataFolder, database };
}

test('no statement changes or removes what is kept', async (t) => {
  const { database } = await filled(t);
  const before = database.prepare('SELECT * FROM records').all();
  for (const table of ['batches', 'records']) {
    for (const statement of [
      `UPDATE ${table} SET data_type = 'x'`,
      `DELETE FROM ${table} WHERE seq = 1`,
      `DELETE FROM ${table}`,
      `INSERT OR REPLACE INTO ${table} SELECT * FROM ${table} WHERE seq = 1`,
    ]) {
      assert.throws(() => database.exec(statement), /kept as they came/, statement);
    }
  }
  assert.deepEqual(database.prepare('SELECT * FROM records').all(), before);
});

test('the rows of Logs Ingestion cannot be changed either', async (t) => {
  const { database } = await filled(t);
  database.exec(`INSERT INTO rows (call_seq, table_name, time_generated, time_received, data) VALUES (1, 'Syslog', '', '', '{}')`);
  for (const statement of [`UPDATE rows SET data = '[]'`, 'DELETE FROM rows', 'INSERT OR REPLACE INTO rows SELECT * FROM rows']) {
    assert.throws(() => database.exec(statement), /kept as they came/, statement);
  }
});

test('a file from before Logs Ingestion is read as one without its tables', async (t) => {
  const { database } = await filled(t);
  database.exec('DROP TABLE rows; DROP TABLE calls;');
  const reader = createTableReader(database, BANK);
  assert.deepEqual([reader.count(), reader.calls(), reader.rows({ table: 'Syslog' })], [[], [], []]);
});

test('records are found by data type, time, text and number', async (t) => {
  const { database } = await filled(t);
  const reader = createStoreReader(database, BANK);
  const found = (filter: Parameters<typeof reader.newest>[0]): unknown[] => reader.newest(filter).map(({ data }) => (data as { n: number }).n);
  assert.deepEqual(found({ limit: 2 }), [1, 2]);
  assert.deepEqual(found({ limit: 10, dataType: 'syslog' }), [0, 2]);
  assert.deepEqual(found({ limit: 10, since: '2026-11-23T08:01:00.000Z' }), [1, 2]);
  assert.deepEqual(found({ limit: 10, where: 'number 0' }), [0]);
  assert.deepEqual(found({ limit: 10, where: '%' }), []);
  assert.deepEqual(
    reader.following(1, { limit: 1 }).map(({ seq }) => seq),
    [2],
  );
});

test('a file can be read while it is written, and when nobody writes it', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const database = await openDatabase(dataFolder, BANK);
  await createStore(database, BANK).take(upload('Syslog', [{ n: 1 }, { n: 2 }]));
  assert.equal(recordsIn(dataFolder), 2);
  database.close();
  assert.equal(recordsIn(dataFolder), 2);
  assert.deepEqual(await listDatabases(dataFolder), [BANK]);
});

function recordsIn(dataFolder: string): number {
  const database = openDatabaseToRead(dataFolder, BANK);
  try {
    return createStoreReader(database, BANK).newest({ limit: 10 }).length;
  } finally {
    database.close();
  }
}

test('a group that cannot be committed is taken by nobody, and the next one is', async (t) => {
  const { database } = await filled(t);
  const store = createStore(database, BANK);
  database.exec("CREATE TRIGGER full BEFORE INSERT ON records WHEN NEW.data_type = 'Bad' BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  const results = await Promise.allSettled(['Good', 'Bad'].map((dataType) => store.take(upload(dataType, [{ n: 9 }]))));
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.deepEqual(await store.take(upload('Good', [{ n: 9 }])), { outcome: 'taken' });
  assert.deepEqual(
    store.count().map(({ dataType, batches }) => [dataType, batches]),
    [
      ['Good', 1],
      ['Perf', 1],
      ['Syslog', 2],
    ],
  );
});

test('a file of a newer release, and one that is missing, are refused with its name', async (t) => {
  const { dataFolder, database } = await filled(t);
  database.exec('PRAGMA user_version = 99');
  await assert.rejects(openDatabase(dataFolder, BANK), { code: 'relay.local-workspace.database-unusable', message: /format 99/ });
  assert.throws(() => openDatabaseToRead(dataFolder, PLANT), { code: 'relay.local-workspace.database-unusable', message: /22222222.*\.sqlite/ });
});
