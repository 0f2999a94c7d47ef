import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { findGroup, mergeSegments } from '../../../src/local-workspace/tables/compact.ts';
import { purgeStep, type RowFilter } from '../../../src/local-workspace/tables/purge.ts';
import type { TextVector } from '../../../src/local-workspace/tables/vector.ts';
import type { WorkspaceTables } from '../../../src/local-workspace/tables/workspace-tables.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { cellOf, commitAll, custom, openTables, scanned } from './store-rig.ts';

function of(person: string): RowFilter {
  return {
    columns: ['Person_s'],
    matches(vectors) {
      const vector = vectors.get('Person_s');
      return (row) => vector !== undefined && cellOf(vector, row) === person;
    },
  };
}

/** All steps; how many rows each removed. */
function purge(tables: WorkspaceTables, table: string, filter: RowFilter): number[] {
  const done = new Set<string>();
  const removed: number[] = [];
  for (let step = purgeStep(tables, table, filter, done); step; step = purgeStep(tables, table, filter, done)) {
    done.add(step.looked);
    removed.push(step.removedRows);
  }
  return removed;
}

function dictionaryOf(tables: WorkspaceTables, at: number): readonly string[] {
  const [segment] = tables.segments().slice(at);
  assert.ok(segment);
  return tables.files.open(segment, ({ column }) => (column('Person_s') as TextVector).dictionary);
}

test('a segment whose rows all match goes; one of which some do is written anew without them; the others are not touched', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ Person: 'ada' }, { Person: 'ada' }]));
  commitAll(tables, custom('Door', [{ Person: 'ada' }, { Person: 'grace', n: 1 }, {}]));
  commitAll(tables, custom('Door', [{ Person: 'joan' }]));
  commitAll(tables, custom('Gate', [{ Person: 'ada' }]));
  const [all, some, none, other] = tables.segments().map((segment) => ({ path: tables.files.pathOf(segment), segment }));
  assert.ok(all && some && none && other);
  const untouched = await Promise.all([none, other].map(({ path }) => readFile(path)));
  assert.deepEqual(purge(tables, 'Door_CL', of('ada')), [2, 1, 0]);
  assert.deepEqual(await scanned(tables, 'Door_CL', ['Person_s', 'n_d', '$row']).then((rows) => rows.sort((a, b) => Number(a['$row']) - Number(b['$row']))), [
    { Person_s: 'joan', $row: 0 },
    { Person_s: 'grace', n_d: 1, $row: 1 },
    { $row: 2 },
  ]);
  assert.deepEqual([existsSync(all.path), existsSync(some.path)], [false, false]);
  assert.deepEqual(await Promise.all([none, other].map(({ path }) => readFile(path))), untouched);
  assert.deepEqual(
    tables.segments().filter(({ table }) => table === 'Gate_CL'),
    [other.segment],
  );
  tables.close();
});

test('the texts of rows that were removed are in no dictionary any more', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  commitAll(tables, custom('Door', [{ Person: 'ada' }, { Person: 'grace' }]));
  assert.deepEqual(dictionaryOf(tables, 0), ['ada', 'grace']);
  purge(tables, 'Door_CL', of('ada'));
  assert.deepEqual(dictionaryOf(tables, 0), ['grace']);
  tables.close();
});

test('what was removed does not come back when the tables are opened again, nor with the entry that brought it', async () => {
  await using folder = await temporaryFolder();
  const entry = custom('Door', [{ Person: 'ada' }, { Person: 'grace' }]);
  const tables = openTables(folder.path);
  commitAll(tables, entry);
  purge(tables, 'Door_CL', of('ada'));
  tables.close();
  const again = openTables(folder.path);
  again.add({ ...entry, seq: 1 });
  again.commit();
  assert.deepEqual(await scanned(again, 'Door_CL', ['Person_s']), [{ Person_s: 'grace' }]);
  again.close();
});

test('a purge that begins anew ends the same, also when segments were put together meanwhile', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (let n = 0; n < 9; n += 1)
    commitAll(
      tables,
      custom('Door', [
        { Person: 'ada', n },
        { Person: 'grace', n },
      ]),
    );
  const done = new Set<string>();
  for (let step = 0; step < 4; step += 1) done.add(purgeStep(tables, 'Door_CL', of('ada'), done)?.looked ?? '');
  // Of one row each by now, and of two.
  mergeSegments(tables, findGroup(tables.segments()) ?? []);
  for (let step = purgeStep(tables, 'Door_CL', of('ada'), done); step; step = purgeStep(tables, 'Door_CL', of('ada'), done)) done.add(step.looked);
  assert.deepEqual(
    (await scanned(tables, 'Door_CL', ['Person_s', 'n_d'])).map((row) => [row['Person_s'], row['n_d']]).sort(),
    Array.from({ length: 9 }, (_, n) => ['grace', n]),
  );
  assert.deepEqual(
    purge(tables, 'Door_CL', of('ada')).filter((removed) => removed > 0),
    [],
  );
  tables.close();
});

test('a table that is not there has nothing to remove', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  assert.deepEqual(purge(tables, 'Nothing', of('ada')), []);
  tables.close();
});
