import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { schemaOf } from '../../../src/local-workspace/tables/segment-scanner.ts';
import type { WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK, commitAll, custom, DAY_MS, NOON, openTables, scanned, uploaded } from './store-rig.ts';

function pathsOf(tables: WorkspaceTables): string[] {
  return tables.segments().map((segment) => tables.files.pathOf(segment));
}

async function segmentFiles(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'segments'))).map((name) => join(folder, 'segments', name)).sort();
}

test('queries see what all rows have alike, and the name of each row for good', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ n: 1 }, { n: 2 }]), custom('Door', [{ n: 3 }]));
  const id = (seq: number, row: number): string => `11111111-0000-8000-8000-000${seq}0000000${row}`;
  const shared = { TenantId: BANK, Type: 'Door_CL' };
  assert.deepEqual(await scanned(tables, 'Door_CL', ['TenantId', 'Type', '_ItemId', 'n_d', 'nothing']), [
    { ...shared, _ItemId: id(1, 0), n_d: 1 },
    { ...shared, _ItemId: id(1, 1), n_d: 2 },
    { ...shared, _ItemId: id(2, 0), n_d: 3 },
  ]);
  assert.equal(schemaOf('Door_CL', tables.columns('Door_CL')).columns.length, 8);
  tables.close();
});

test('a scan leaves out what is out of its time, and without columns counts rows alone', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (const offset of [-DAY_MS, 0, DAY_MS]) commitAll(tables, uploaded('Inventory', [{ TimeGenerated: new Date(NOON + offset).toISOString() }]));
  const rows = async (from?: number, to?: number): Promise<number> => {
    let sum = 0;
    for await (const chunk of tables.scanner.scan({ table: 'Inventory', columns: [], from, to })) sum += chunk.rows;
    return sum;
  };
  const cases: [from: number | undefined, to: number | undefined, rows: number][] = [
    [undefined, undefined, 3],
    [NOON, undefined, 2],
    [NOON + 1, undefined, 1],
    [undefined, NOON, 1],
    [undefined, NOON + 1, 2],
    [NOON, NOON + 1, 1],
    [NOON + 1, NOON + 2, 0],
  ];
  for (const [from, to, expected] of cases) assert.equal(await rows(from, to), expected, `${from} ${to}`);
  tables.close();
});

test('a scan goes on over what was there when it began, and its files go when it has ended', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (const n of [1, 2, 3]) commitAll(tables, custom('Door', [{ n }]));
  const paths = pathsOf(tables);
  const scan = tables.scanner.scan({ table: 'Door_CL', columns: ['n_d'] });
  const found: number[] = [];
  for await (const { vectors } of scan) {
    found.push((vectors.get('n_d') as { values: Float64Array }).values[0] as number);
    if (found.length === 1) tables.replace(tables.segments(), []);
    assert.ok(paths.every((path) => existsSync(path)));
  }
  assert.deepEqual([found, tables.segments()], [[1, 2, 3], []]);
  assert.deepEqual(await segmentFiles(folder.path), []);
  tables.close();
});

test('the files of a scan that was given up go too, and those of two scans when both have ended', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (const n of [1, 2]) commitAll(tables, custom('Door', [{ n }]));
  const scans = [1, 2].map(() => tables.scanner.scan({ table: 'Door_CL', columns: ['n_d'] })[Symbol.asyncIterator]());
  for (const scan of scans) await scan.next();
  tables.replace(tables.segments(), []);
  await scans[0]?.return?.();
  assert.equal((await segmentFiles(folder.path)).length, 2);
  await scans[1]?.return?.();
  assert.deepEqual(await segmentFiles(folder.path), []);
  tables.close();
});
