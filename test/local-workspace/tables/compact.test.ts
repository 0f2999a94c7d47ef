import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { StoredSegment } from '../../../src/local-workspace/tables/catalogue.ts';
import { findGroup, mergeSegments } from '../../../src/local-workspace/tables/compact.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { commitAll, custom, NOON, openTables, scanned } from './store-rig.ts';

function segmentsOf(rows: readonly number[], more: Partial<StoredSegment> = {}): StoredSegment[] {
  const facts = { table: 'T', day: 1, place: 'main', bytes: 10, sha256: '', plainBytes: 100, minTime: NOON, maxTime: NOON } as const;
  return rows.map((count, at) => ({ ...facts, id: `s${at}`, rows: count, minReceived: NOON, maxReceived: NOON, minSeq: at, maxSeq: at, ...more }));
}

function repeated(count: number, rows: number): number[] {
  return Array.from({ length: count }, () => rows);
}

test('eight small segments of a table, day, place and size are put together; fewer are not, nor unlike ones', () => {
  const some = (count: number, more: Partial<StoredSegment>): StoredSegment[] => segmentsOf(repeated(count, 5), more);
  const cases: [what: string, segments: readonly StoredSegment[], together: number | undefined][] = [
    ['seven', some(7, {}), undefined],
    ['eight', some(8, {}), 8],
    ['eleven', some(11, {}), 11],
    ['of two tables', [...some(5, {}), ...some(5, { table: 'U' })], undefined],
    ['of two days', [...some(5, {}), ...some(5, { day: 2 })], undefined],
    ['of two places', [...some(5, {}), ...some(5, { place: 'hot' })], undefined],
    ['of two sizes', segmentsOf([...repeated(5, 5), ...repeated(5, 5_000)]), undefined],
    ['large ones', segmentsOf(repeated(8, 32_768)), undefined],
    ['up to the largest', segmentsOf(repeated(8, 30_000)), 4],
    ['of few rows that are large', some(8, { plainBytes: 16 * 1024 * 1024 }), undefined],
    ['up to the largest in bytes', some(12, { plainBytes: 10 * 1024 * 1024 }), 6],
  ];
  for (const [what, segments, together] of cases) assert.equal(findGroup(segments)?.length, together, what);
});

test('the oldest come first', () => {
  const segments = segmentsOf(repeated(8, 5)).reverse();
  assert.deepEqual(
    findGroup(segments)?.map(({ minSeq }) => minSeq),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test('however many segments come, few are left, and each row is written again a few times at most', () => {
  let segments: StoredSegment[] = [];
  let written = 0;
  for (let at = 0; at < 5_000; at += 1) {
    segments.push(...segmentsOf([3], { id: `n${at}`, minSeq: at, maxSeq: at }));
    for (let group = findGroup(segments); group; group = findGroup(segments)) {
      const gone = new Set(group);
      const rows = group.reduce((sum, one) => sum + one.rows, 0);
      written += rows;
      segments = [...segments.filter((one) => !gone.has(one)), ...segmentsOf([rows], { id: `m${at}`, minSeq: group[0]?.minSeq ?? 0, maxSeq: at })];
    }
  }
  assert.equal(
    segments.reduce((sum, { rows }) => sum + rows, 0),
    15_000,
  );
  assert.ok(segments.length < 40, `${segments.length} segments are left`);
  assert.ok(written < 15_000 * 6, `${written} rows were written again`);
});

test('what was put together has the same rows, with the columns of all', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (let n = 0; n < 8; n += 1)
    commitAll(
      tables,
      custom('Door', [
        { n, [`only${n % 3}`]: `text ${n}` },
        { n, all: n % 2 === 0 },
      ]),
    );
  const columns = ['_ItemId', 'n_d', 'only0_s', 'only1_s', 'only2_s', 'all_b', 'TimeGenerated', '$agent'];
  const before = await scanned(tables, 'Door_CL', columns);
  const group = findGroup(tables.segments());
  assert.ok(group);
  mergeSegments(tables, group);
  assert.deepEqual(await scanned(tables, 'Door_CL', columns), before);
  assert.deepEqual(
    tables.segments().map(({ rows, minSeq, maxSeq }) => [rows, minSeq, maxSeq]),
    [[16, 1, 8]],
  );
  assert.equal((await readdir(join(folder.path, 'segments'))).length, 1);
  assert.equal(findGroup(tables.segments()), undefined);
  tables.close();
  const again = openTables(folder.path);
  assert.deepEqual(await scanned(again, 'Door_CL', columns), before);
  again.close();
});

test('a scan that is under way keeps the files that were put together until it ends', async () => {
  await using folder = await temporaryFolder();
  const tables = openTables(folder.path);
  for (let n = 0; n < 8; n += 1) commitAll(tables, custom('Door', [{ n }]));
  let found = 0;
  for await (const { rows } of tables.scanner.scan({ table: 'Door_CL', columns: ['n_d'] })) {
    found += rows;
    if (found === 1) mergeSegments(tables, findGroup(tables.segments()) ?? []);
    assert.equal((await readdir(join(folder.path, 'segments'))).length, 9);
  }
  assert.equal(found, 8);
  assert.equal((await readdir(join(folder.path, 'segments'))).length, 1);
  tables.close();
});
