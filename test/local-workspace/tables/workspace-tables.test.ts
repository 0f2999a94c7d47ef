import assert from 'node:assert/strict';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import { openCatalogue } from '../../../src/local-workspace/tables/catalogue.ts';
import type { WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK, commitAll, custom, DAY_MS, KEY, NOON, OTHER_KEY, openTables, PLANT, scanned, uploaded } from './store-rig.ts';

const NOON_DAY = Math.floor(NOON / DAY_MS);

function pathsOf(tables: WorkspaceTables): string[] {
  return tables.segments().map((segment) => tables.files.pathOf(segment));
}

async function segmentFiles(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'segments'))).map((name) => join(folder, 'segments', name)).sort();
}

test('entries become rows once, and are there when the tables are opened again', async () => {
  await using folder = await temporaryFolder();
  const before = openTables(folder.path);
  const [first, second] = [custom('Door', [{ n: 1 }, { n: 2 }]), custom('Door', [{ n: 3, late: 'x' }])];
  before.add({ ...first, seq: 1 });
  before.add({ ...first, seq: 1 });
  before.add({ ...second, seq: 2 });
  assert.deepEqual([before.addedSeq(), before.committedSeq()], [2, 0]);
  assert.equal(before.commit().added.length, 1);
  before.add({ ...first, seq: 1 });
  assert.deepEqual(before.commit(), { added: [], removed: [] });
  before.close();
  const again = openTables(folder.path);
  assert.deepEqual([again.addedSeq(), again.committedSeq(), again.tables()], [2, 2, ['Door_CL']]);
  again.add({ ...second, seq: 2 });
  assert.deepEqual(await scanned(again, 'Door_CL', ['n_d', 'late_s']), [{ n_d: 1 }, { n_d: 2 }, { n_d: 3, late_s: 'x' }]);
  assert.deepEqual(
    again.columns('Door_CL').map(({ name }) => name),
    ['n_d', 'late_s'],
  );
  again.close();
});

test('a column is entered in the catalogue once, when it came', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (const record of [{ a: 1 }, { a: 2 }, { a: 3, b: 4 }]) commitAll(tables, custom('Door', [record]));
  tables.close();
  const catalogue = openCatalogue(join(folder.path, 'catalogue.sqlite'), BANK, fileSealers(KEY, BANK)('catalogue'));
  assert.deepEqual(
    catalogue
      .columns()
      .get('Door_CL')
      ?.map(({ name }) => name),
    ['a_d', 'b_d'],
  );
  catalogue.close();
});

test('rows that were not committed are forgotten, and their entries are added again', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ n: 1 }]));
  tables.add({ ...custom('Door', [{ n: 2 }]), seq: 2 });
  tables.abandon();
  assert.equal(tables.addedSeq(), 1);
  tables.add({ ...custom('Door', [{ n: 2 }]), seq: 2 });
  tables.commit();
  assert.deepEqual(await scanned(tables, 'Door_CL', ['n_d']), [{ n_d: 1 }, { n_d: 2 }]);
  tables.close();
});

test('a segment has the rows of one table and one day', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const at = (offset: number): { TimeGenerated: string } => ({ TimeGenerated: new Date(NOON + offset).toISOString() });
  commitAll(tables, uploaded('Inventory', [at(0), at(-DAY_MS), at(1), at(DAY_MS)]), custom('Door', [{ n: 1 }]));
  assert.deepEqual(
    tables.segments().map(({ table, day, rows, minTime, maxTime }) => [table, day - NOON_DAY, rows, minTime - NOON, maxTime - NOON]),
    [
      ['Inventory', 0, 2, 0, 1],
      ['Inventory', -1, 1, -DAY_MS, -DAY_MS],
      ['Inventory', 1, 1, DAY_MS, DAY_MS],
      ['Door_CL', 0, 1, 0, 0],
    ],
  );
  tables.close();
});

test('rows become segments before they take too much memory', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const many = custom(
    'Door',
    Array.from({ length: 20_000 }, (_, n) => ({ n })),
  );
  for (let seq = 1; seq <= 3; seq += 1) tables.add({ ...many, seq });
  assert.equal(tables.isFull(), false);
  tables.add({ ...many, seq: 4 });
  assert.equal(tables.isFull(), true);
  tables.commit();
  assert.equal(tables.isFull(), false);
  const large = custom('Large', [{ text: 'x'.repeat(17 * 1024 * 1024) }]);
  tables.add({ ...large, seq: 5 });
  assert.equal(tables.isFull(), false);
  tables.add({ ...large, seq: 6 });
  assert.equal(tables.isFull(), true);
  tables.close();
});

test('files that the catalogue does not know are gone after opening, and what it knows is there', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (const n of [1, 2]) commitAll(tables, custom('Door', [{ n }]));
  const scan = tables.scanner.scan({ table: 'Door_CL', columns: ['n_d'] })[Symbol.asyncIterator]();
  await scan.next();
  tables.replace(tables.segments().slice(0, 1), []);
  assert.equal((await segmentFiles(folder.path)).length, 2);
  // As after a crash: the scan never ended.
  tables.close();
  const again = openTables(folder.path);
  assert.deepEqual(await segmentFiles(folder.path), pathsOf(again));
  assert.deepEqual(await scanned(again, 'Door_CL', ['n_d']), [{ n_d: 2 }]);
  again.close();
});

test('a commit that cannot be written changes nothing, leaves no file, and can be tried again with all its columns', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const segments = join(folder.path, 'segments');
  tables.add({ ...custom('Door', [{ n: 1 }]), seq: 1 });
  tables.add({ ...custom('Gate', [{ n: 2 }]), seq: 2 });
  await rename(segments, `${segments}-away`);
  assert.throws(() => tables.commit());
  assert.deepEqual([tables.committedSeq(), tables.segments().length], [0, 0]);
  await rename(`${segments}-away`, segments);
  assert.deepEqual(await segmentFiles(folder.path), []);
  tables.abandon();
  commitAll(tables, custom('Door', [{ n: 1 }]), custom('Gate', [{ n: 2 }]));
  tables.close();
  const again = openTables(folder.path);
  assert.deepEqual(
    again.columns('Gate_CL').map(({ name }) => name),
    ['n_d'],
  );
  assert.deepEqual(await scanned(again, 'Gate_CL', ['n_d']), [{ n_d: 2 }]);
  again.close();
});

test('tables do not open for another workspace, nor with another key', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ n: 1 }]));
  tables.close();
  assert.throws(() => openTables(folder.path, { workspaceId: PLANT }), { code: 'relay.local-workspace.catalogue-unusable' });
  assert.throws(() => openTables(folder.path, { dataKey: OTHER_KEY }), { code: 'relay.local-workspace.cannot-open-block' });
  const again = openTables(folder.path);
  assert.equal(again.segments().length, 1);
  again.close();
});
