import assert from 'node:assert/strict';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileSealers } from '../../../src/local-workspace/keys/file-sealers.ts';
import { type Catalogue, type KnownColumn, openCatalogue, type StoredSegment } from '../../../src/local-workspace/tables/catalogue.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { BANK, filesBelow, KEY, NOON, OTHER_KEY, PLANT } from './store-rig.ts';

const UNUSABLE = 'relay.local-workspace.catalogue-unusable';

function segmentOf(id: string, seq: number): StoredSegment {
  const times = { minTime: NOON, maxTime: NOON + 1, minReceived: NOON + 2, maxReceived: NOON + 3, minSeq: seq, maxSeq: seq + 1 };
  return { id, table: 'Syslog', day: 20_516, rows: 10, plainBytes: 800, place: 'main', bytes: 300, sha256: 'ab', ...times };
}

function columnOf(name: string, more: Partial<KnownColumn> = {}): { table: string; column: KnownColumn } {
  return { table: 'Syslog', column: { name, type: 'string', source: name.toLowerCase(), ...more } };
}

function open(folder: string, workspaceId = BANK, key = KEY): Catalogue {
  return openCatalogue(join(folder, 'catalogue.sqlite'), workspaceId, fileSealers(key, workspaceId)('catalogue'));
}

test('a catalogue that is opened again says what was committed', async () => {
  await using folder = await temporaryFolder();
  const [one, two, three] = [segmentOf('one', 1), segmentOf('two', 3), { ...segmentOf('three', 5), place: 'hot' as const }];
  const declared = columnOf('Level', { type: 'int', isDeclared: true });
  const before = open(folder.path);
  before.commit({ add: [one, two], columns: [columnOf('Host'), columnOf('Message')], stagedSeq: 4 });
  before.commit({ remove: ['one'], add: [three], columns: [declared], stagedSeq: 6 });
  before.close();
  const again = open(folder.path);
  assert.deepEqual(
    again.segments().map((segment) => ({ ...segment })),
    [two, three],
  );
  assert.deepEqual(again.columns().get('Syslog'), [columnOf('Host').column, columnOf('Message').column, declared.column]);
  assert.equal(again.stagedSeq(), 6);
  again.close();
});

test('the mark of the staging log moves forward only', async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  for (const [given, mark] of [
    [5, 5],
    [3, 5],
    [undefined, 5],
    [6, 6],
  ] as const) {
    catalogue.commit({ stagedSeq: given });
    assert.equal(catalogue.stagedSeq(), mark);
  }
  catalogue.close();
});

test('a commit that fails changes nothing', async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  catalogue.commit({ add: [segmentOf('one', 1)], stagedSeq: 2 });
  assert.throws(() => catalogue.commit({ remove: ['one'], add: [segmentOf('two', 3), segmentOf('two', 3)], columns: [columnOf('Host')], stagedSeq: 4 }));
  assert.deepEqual([catalogue.segments().map(({ id }) => id), catalogue.columns().size, catalogue.stagedSeq()], [['one'], 0, 2]);
  catalogue.close();
});

test('a table that is dropped has no columns any more; the others keep theirs, and new ones come behind them', async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  const perf = { table: 'Perf', column: columnOf('CounterName').column };
  catalogue.commit({ columns: [columnOf('Host'), perf, columnOf('Message')] });
  catalogue.commit({ dropTable: 'Syslog' });
  catalogue.commit({ columns: [columnOf('Fresh')] });
  assert.deepEqual(
    [...catalogue.columns()].map(([table, columns]) => [table, columns.map(({ name }) => name)]),
    [
      ['Perf', ['CounterName']],
      ['Syslog', ['Fresh']],
    ],
  );
  catalogue.close();
});

test("another workspace's catalogue is refused, and says whose it is", async () => {
  await using folder = await temporaryFolder();
  open(folder.path).close();
  assert.throws(() => open(folder.path, PLANT), { code: UNUSABLE, message: new RegExp(`of workspace ${BANK}, not of ${PLANT}`) });
});

test('a catalogue of a newer release is refused, and stays as it is', async () => {
  await using folder = await temporaryFolder();
  open(folder.path).close();
  const database = new DatabaseSync(join(folder.path, 'catalogue.sqlite'));
  database.exec('PRAGMA user_version = 99');
  database.close();
  assert.throws(() => open(folder.path), { code: UNUSABLE, message: /format 99/ });
  const again = new DatabaseSync(join(folder.path, 'catalogue.sqlite'));
  assert.equal((again.prepare('PRAGMA user_version').get() as { user_version: number }).user_version, 99);
  again.close();
});

test('what is no database is refused', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'catalogue.sqlite'), 'no database at all, but longer than the head of one would be'.repeat(10));
  assert.throws(() => open(folder.path), { code: UNUSABLE });
});

test('columns do not open with another key, nor moved to another place', async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  catalogue.commit({ columns: [columnOf('Host'), columnOf('Message')] });
  catalogue.close();
  const strange = open(folder.path, BANK, OTHER_KEY);
  assert.throws(() => strange.columns(), { code: 'relay.local-workspace.cannot-open-block' });
  strange.close();
  const database = new DatabaseSync(join(folder.path, 'catalogue.sqlite'));
  database.exec('UPDATE columns SET ordinal = ordinal + 10');
  database.close();
  const moved = open(folder.path);
  assert.throws(() => moved.columns(), { code: 'relay.local-workspace.cannot-open-block' });
  moved.close();
});

test('names of columns stand in no file in the clear', async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  catalogue.commit({ add: [segmentOf('a-segment-of-this-name', 1)], columns: [columnOf('PatientName_s')] });
  // Also while it is open: what was written last is in its log.
  for (const state of ['open', 'closed']) {
    const files = await filesBelow(folder.path);
    for (const { path, bytes } of files) assert.ok(!bytes.includes('PatientName_s') && !bytes.includes('patientname_s'), path);
    // What is in the clear is found.
    assert.ok(files.some(({ bytes }) => bytes.includes('a-segment-of-this-name')));
    if (state === 'open') catalogue.close();
  }
});

test("nobody but its owner may read a catalogue's files", async () => {
  await using folder = await temporaryFolder();
  const catalogue = open(folder.path);
  catalogue.commit({ stagedSeq: 1 });
  const names = await readdir(folder.path);
  assert.ok(names.length > 1);
  for (const name of names) assert.equal((await stat(join(folder.path, name))).mode & 0o777, 0o600, name);
  catalogue.close();
});
