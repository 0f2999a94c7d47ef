import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findGroup, mergeSegments } from '../../../src/local-workspace/tables/compact.ts';
import { type KeptRow, type KeptRowFilter, keptRows } from '../../../src/local-workspace/tables/kept-rows.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { AGENT, called, commitAll, custom, DAY_MS, NOON, openTables, uploaded } from './store-rig.ts';

function placesOf(rows: readonly KeptRow[]): string {
  return rows.map(({ seq, row }) => `${seq}.${row}`).join(' ');
}

test('rows come in the order in which they came, as many as wanted, from either end, across segments', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const days = [0, -DAY_MS, DAY_MS].map((offset) => ({ TimeGenerated: new Date(NOON + offset).toISOString() }));
  // Rows of one entry lie in three segments, and each segment has rows of several entries.
  commitAll(tables, uploaded('Inventory', days), uploaded('Inventory', days));
  commitAll(tables, custom('Door', [{ Person: 'ada' }, { Person: 'grace' }]));
  commitAll(tables, { ...uploaded('Inventory', days, { receivedAt: NOON + 5 }) });
  const cases: [filter: Partial<KeptRowFilter>, places: string][] = [
    [{}, '1.0 1.1 1.2 2.0 2.1 2.2 3.0 3.1 4.0 4.1 4.2'],
    [{ end: 'oldest' }, '1.0 1.1 1.2 2.0 2.1 2.2 3.0 3.1 4.0 4.1 4.2'],
    [{ limit: 4 }, '3.1 4.0 4.1 4.2'],
    [{ limit: 4, end: 'oldest' }, '1.0 1.1 1.2 2.0'],
    [{ limit: 0 }, ''],
    [{ limit: 0, end: 'oldest' }, ''],
    [{ table: 'door_cl' }, '3.0 3.1'],
    [{ dataType: 'INVENTORY', limit: 2 }, '4.1 4.2'],
    [{ after: { seq: 2, row: 1 }, end: 'oldest', limit: 3 }, '2.2 3.0 3.1'],
    [{ after: { seq: 3, row: 1 } }, '4.0 4.1 4.2'],
    [{ after: { seq: 4, row: 2 }, end: 'oldest' }, ''],
    [{ since: NOON + 1 }, '4.0 4.1 4.2'],
    [{ since: NOON + 6 }, ''],
    [{ where: 'grace' }, '3.1'],
    [{ where: '"Person":"' }, '3.0 3.1'],
    [{ where: 'nobody' }, ''],
    [{ where: 'a', table: 'Door_CL', limit: 1 }, '3.1'],
  ];
  for (const [filter, places] of cases) {
    assert.equal(placesOf(keptRows(tables, { limit: 100, end: 'newest', ...filter })), places, JSON.stringify(filter));
  }
  tables.close();
});

test('a row is as its sender wrote it, under the names that it used', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const records: Record<string, unknown>[] = [
    { Computer: 'web1', Message: 'web1', n: 0.5, flag: false, when: '2026-03-04T12:00:00.000Z', deep: { a: [1, null, { b: 'c' }] } },
    { Host: 'web2', Message: 'x', ident: 'sshd', '007': '007' },
    { Hostname: 'web3', 'odd name': '' },
    { n: 'text now' },
    {},
  ];
  commitAll(tables, uploaded('LINUX_SYSLOGS_BLOB', records));
  assert.deepEqual(
    keptRows(tables, { limit: 9, end: 'newest' }).map(({ data }) => data),
    records,
  );
  tables.close();
});

test('a row tells its table, data type, agent and times', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, uploaded('linux_syslogs_blob', [{ Timestamp: '2026-03-04T11:00:00Z', Message: 'x' }]));
  const [row] = keptRows(tables, { limit: 1, end: 'newest' });
  assert.deepEqual(row, {
    ...{ seq: 1, row: 0, table: 'Syslog', dataType: 'linux_syslogs_blob', agentId: AGENT },
    ...{ timeGenerated: NOON - 3_600_000, timeReceived: NOON, data: { Timestamp: '2026-03-04T11:00:00Z', Message: 'x' } },
  });
  tables.close();
});

test('what a table had no columns for is there under the names of the sender, whatever they are', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`f${at}`, at]));
  const body = Buffer.from('[{"f7":1,"late":"x","__proto__":{"a":1}}]');
  commitAll(tables, custom('Wide', [many]), { ...custom('Wide', [{}]), body });
  const [data] = keptRows(tables, { limit: 1, end: 'newest' }).map((row) => JSON.stringify(row.data));
  assert.equal(data, '{"f7":1,"late":"x","__proto__":{"a":1}}');
  tables.close();
});

test('declared rows are there as they were kept', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const columns = [
    { name: 'Computer', type: 'string' },
    { name: 'Level', type: 'int' },
  ] as const;
  commitAll(tables, called('Door_CL', columns, [{ Computer: 'web1', Level: '7', other: 'x' }]));
  assert.deepEqual(
    keptRows(tables, { limit: 1, end: 'newest' }).map(({ data }) => data),
    [{ Level: 7, Computer: 'web1' }],
  );
  tables.close();
});

test('it is the same when segments were put together', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (let n = 0; n < 9; n += 1) commitAll(tables, custom('Door', [{ n }, { [`f${n}`]: n }]));
  const filters: KeptRowFilter[] = [
    { limit: 5, end: 'newest' },
    { limit: 5, end: 'oldest', after: { seq: 3, row: 0 } },
  ];
  const before = filters.map((filter) => keptRows(tables, filter));
  mergeSegments(tables, (findGroup(tables.segments()) ?? []).slice(2, 8));
  assert.deepEqual(
    filters.map((filter) => keptRows(tables, filter)),
    before,
  );
  tables.close();
});
