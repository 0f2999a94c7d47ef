import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { coolOnce } from '../../../src/local-workspace/tables/cool.ts';
import { pastRetention, trim } from '../../../src/local-workspace/tables/trim.ts';
import type { WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { commitAll, custom, DAY_MS, NOON, openTables, scanned, uploaded } from './store-rig.ts';

const NOON_DAY = Math.floor(NOON / DAY_MS);

function pathsOf(tables: WorkspaceTables): string[] {
  return tables.segments().map((segment) => tables.files.pathOf(segment));
}

async function segmentFiles(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'segments'))).map((name) => join(folder, 'segments', name)).sort();
}

test('a table that is dropped is gone with its columns, and may come again', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ n: 1 }]), custom('Gate', [{ n: 2 }]));
  tables.replace(
    tables.segments().filter(({ table }) => table === 'Door_CL'),
    [],
    'Door_CL',
  );
  assert.deepEqual([tables.tables(), tables.columns('Door_CL')], [['Gate_CL'], []]);
  commitAll(tables, custom('Door', [{ n: 'text now' }]));
  tables.close();
  const again = openTables(folder.path);
  assert.deepEqual(await scanned(again, 'Door_CL', ['n_d', 'n_s']), [{ n_s: 'text now' }]);
  assert.deepEqual(await scanned(again, 'Gate_CL', ['n_d']), [{ n_d: 2 }]);
  again.close();
});

test('rows go when their day has been over for as long as their table keeps them', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  const at = (offset: number): string => new Date(NOON + offset).toISOString();
  commitAll(tables, uploaded('Inventory', [{ TimeGenerated: at(-DAY_MS) }, { TimeGenerated: at(0) }]), custom('Door', [{ n: 1 }]));
  const retentionOf = (table: string): number => (table === 'Inventory' ? 30 : 90);
  const due = (NOON_DAY + 30) * DAY_MS;
  assert.equal(pastRetention(tables.segments(), retentionOf, due - 1).length, 0);
  assert.deepEqual(trim(tables, retentionOf, due - 1), { added: [], removed: [] });
  assert.equal(trim(tables, retentionOf, due).removed.length, 1);
  assert.equal(trim(tables, retentionOf, due + DAY_MS).removed.length, 1);
  assert.deepEqual(
    tables.segments().map(({ table }) => table),
    ['Door_CL'],
  );
  assert.deepEqual(await segmentFiles(folder.path), pathsOf(tables));
  tables.close();
});

test('what is no longer new moves to the main folder, and is there after opening', async () => {
  await using folder = await temporaryFolder();
  const hotFolder = join(folder.path, 'hot');
  const tables = openTables(folder.path, { hotFolder });
  commitAll(tables, custom('Door', [{ n: 1 }]), custom('Gate', [{ n: 2 }]));
  assert.equal(coolOnce(tables, 2, (NOON_DAY + 3) * DAY_MS - 1), undefined);
  assert.equal((await readdir(hotFolder)).length, 2);
  const now = (NOON_DAY + 3) * DAY_MS;
  assert.equal(coolOnce(tables, 2, now)?.added[0]?.place, 'main');
  assert.notEqual(coolOnce(tables, 2, now), undefined);
  assert.equal(coolOnce(tables, 2, now), undefined);
  assert.deepEqual(await readdir(hotFolder), []);
  tables.close();
  const again = openTables(folder.path);
  assert.deepEqual(await scanned(again, 'Gate_CL', ['n_d']), [{ n_d: 2 }]);
  again.close();
});

test('a hot folder that is not given any more is missed while segments lie there, and none of them is lost', async () => {
  await using folder = await temporaryFolder();
  const hotFolder = join(folder.path, 'hot');
  const tables = openTables(folder.path, { hotFolder });
  commitAll(tables, custom('Door', [{ n: 1 }]));
  tables.close();
  assert.throws(() => openTables(folder.path), { code: 'relay.local-workspace.hot-folder-missing' });
  const again = openTables(folder.path, { hotFolder });
  assert.deepEqual(await scanned(again, 'Door_CL', ['n_d']), [{ n_d: 1 }]);
  again.close();
});
