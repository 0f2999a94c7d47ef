import assert from 'node:assert/strict';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { custom, DAY_MS, NOON, PLANT, uploaded } from '../tables/store-rig.ts';
import { fieldsOf, openStore } from './engine-rig.ts';

async function changeByte(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await writeFile(path, bytes);
}

async function segmentNames(folder: string): Promise<string[]> {
  return (await readdir(join(folder, 'segments'))).sort();
}

test('what was staged is in the tables once, however often it is asked for, and after each opening', async () => {
  await using folder = await temporaryFolder();
  for (let round = 1; round <= 4; round += 1) {
    await using store = await openStore(folder.path, 1_000);
    for (let n = 0; n < 5; n += 1) {
      await store.ask('staged', { seq: await store.stage(custom('Door', [{ n: round * 10 + n }])) });
      if (n === 2) await store.settle();
    }
    assert.equal(await store.settle(), store.staging.lastSeq());
    await store.settle();
    const expected = Array.from({ length: round * 5 }, (_, at) => (1 + Math.floor(at / 5)) * 10 + (at % 5));
    assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), expected);
  }
});

test('what was staged and not settled is in the tables after the next opening', async () => {
  await using folder = await temporaryFolder();
  {
    await using store = await openStore(folder.path);
    await store.stage(custom('Door', [{ n: 1 }]), custom('Door', [{ n: 2 }]));
  }
  await using store = await openStore(folder.path);
  await store.settle();
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1, 2]);
});

test('each commit tells how far the log is done and which files came and went; then its files can go', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path, 100);
  for (let n = 1; n <= 8; n += 1) {
    await store.stage(custom('Door', [{ n }]));
    await store.settle();
  }
  const names = await segmentNames(folder.path);
  const changes = store.events.filter((event) => event.kind === 'changed');
  assert.deepEqual(
    changes.map(({ committedSeq }) => committedSeq),
    [1, 2, 3, 4, 5, 6, 7, 8, 8],
  );
  // Eight of them became one.
  assert.deepEqual(
    changes.at(-1)?.removed,
    changes.slice(0, 8).flatMap(({ added }) => added),
  );
  assert.deepEqual(
    changes.at(-1)?.added,
    names.map((name) => join(folder.path, 'segments', name)),
  );
  await store.staging.removeThrough(8, true);
  assert.deepEqual(await readdir(join(folder.path, 'staging')), []);
  await store.stage(custom('Door', [{ n: 9 }]));
  await store.settle();
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('while processing is stopped nothing comes into the tables; then all of it does', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  await store.ask('processing', { on: false });
  await store.stage(custom('Door', [{ n: 1 }]));
  assert.equal(await store.settle(), 0);
  assert.deepEqual(await store.rows('Door_CL'), []);
  await store.ask('processing', { on: true });
  assert.equal(await store.settle(), 1);
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1]);
});

test('a damaged entry is told and passed over; those before and behind it are in the tables', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  await store.stage(custom('Door', [{ n: 1 }]));
  const at = store.staging.bytes();
  await store.stage(custom('Door', [{ n: 2 }]), custom('Door', [{ n: 3 }]));
  await changeByte(join(folder.path, 'staging', '000000000000001.log'), at + 40);
  assert.equal(await store.settle(), 3);
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1, 3]);
  assert.deepEqual(store.events.filter(({ kind }) => kind === 'damaged').length, 1);
});

test('an entry whose body is not what was said is told and passed over, and no row of it is there', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  const { head } = custom('Door', [{}]);
  // Its first record is one, its second is not.
  await store.stage(
    custom('Door', [{ n: 1 }]),
    { head, body: Buffer.from('[{"n":2},null]') },
    { head, body: Buffer.from('no JSON') },
    custom('Door', [{ n: 3 }]),
  );
  assert.equal(await store.settle(), 4);
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1, 3]);
  const told = store.events.flatMap((event) => (event.kind === 'damaged' ? [event.what] : []));
  assert.deepEqual(told, ['staged entry 2', 'staged entry 3']);
});

test('when the tables cannot be written, who waits is told, nothing is lost, and it goes on when they can', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  const segments = join(folder.path, 'segments');
  await rename(segments, `${segments}-away`);
  await store.stage(custom('Door', [{ n: 1 }]));
  await assert.rejects(store.settle());
  await rename(`${segments}-away`, segments);
  await store.stage(custom('Door', [{ n: 2 }]));
  assert.equal(await store.settle(), 2);
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [1, 2]);
});

test('segments that cannot be put together are told, and keep no new row out', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  await store.stage(custom('Door', [{ n: 1 }]));
  await store.settle();
  const [damaged = ''] = await segmentNames(folder.path);
  await changeByte(join(folder.path, 'segments', damaged), 100);
  for (let n = 2; n <= 20; n += 1) {
    await store.stage(custom('Door', [{ n }]), custom('Gate', [{ n }]));
    await store.settle();
  }
  assert.equal(store.events.filter(({ kind }) => kind === 'damaged').length, 1);
  assert.deepEqual(
    fieldsOf(await store.rows('Gate_CL'), 'n'),
    Array.from({ length: 19 }, (_, at) => at + 2),
  );
  await assert.rejects(store.rows('Door_CL'), { code: 'relay.local-workspace.segment-damaged', message: new RegExp(damaged) });
});

test('a table that is dropped loses what came until then, and keeps what came since, though it lies in the same segment', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  const throughSeq = await store.stage(custom('Door', [{ n: 1 }]), custom('Door', [{ n: 2 }]));
  await store.stage(custom('Door', [{ n: 3 }]), custom('Gate', [{ n: 4 }]));
  await store.settle();
  assert.deepEqual(await store.ask('dropTable', { table: 'Door_CL', throughSeq }), { removedRows: 2 });
  assert.deepEqual(fieldsOf(await store.rows('Door_CL'), 'n'), [3]);
  assert.deepEqual(await store.ask('dropTable', { table: 'Door_CL', throughSeq: store.staging.lastSeq() }), { removedRows: 1 });
  assert.deepEqual(
    (await store.ask('schemas', undefined)).map(({ name }) => name),
    ['Gate_CL'],
  );
  assert.deepEqual(fieldsOf(await store.rows('Gate_CL'), 'n'), [4]);
});

test('a purge takes what was staged until it was asked for, also what is not in the tables yet, and nothing later', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  const throughSeq = await store.stage(custom('Door', [{ Person: 'ada' }, { Person: 'grace' }]));
  await store.stage(custom('Door', [{ Person: 'ada' }]));
  const order = { operationId: 'p', table: 'Door_CL', filters: [{ column: 'Person_s', operator: '==', value: 'ada' }], throughSeq } as const;
  let removed = 0;
  for (let step = await store.ask('purgeStep', order); step; step = await store.ask('purgeStep', order)) removed += step.removedRows;
  await store.settle();
  assert.deepEqual([removed, fieldsOf(await store.rows('Door_CL'), 'Person')], [1, ['grace', 'ada']]);
});

test('figures say how much of each table is kept, and from when', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  await store.stage(uploaded('Inventory', [{ TimeGenerated: new Date(NOON - DAY_MS).toISOString() }, { n: 1 }]));
  await store.settle();
  const [figures] = await store.ask('figures', undefined);
  assert.ok(figures && figures.bytes > 0);
  assert.deepEqual({ ...figures, bytes: 0 }, { table: 'Inventory', rows: 2, segments: 2, bytes: 0, oldest: NOON - DAY_MS, newest: NOON });
});

test('a workspace that is not open is asked nothing, and another one can still be', async () => {
  await using folder = await temporaryFolder();
  await using store = await openStore(folder.path);
  const never = new AbortController().signal;
  await assert.rejects(store.engine.ask('figures', PLANT, undefined, never), { code: 'relay.local-workspace.tables-closed' });
  await store.ask('close', undefined);
  await assert.rejects(store.ask('figures', undefined), { code: 'relay.local-workspace.tables-closed' });
});

test('tables that are closed in the middle of their work lose nothing', async () => {
  await using folder = await temporaryFolder();
  {
    await using store = await openStore(folder.path);
    const seq = await store.stage(...Array.from({ length: 30 }, (_, n) => custom('Door', [{ n }])));
    void store.ask('staged', { seq });
    void store.ask('commit', { seq });
    await store.ask('close', undefined);
  }
  await using store = await openStore(folder.path);
  await store.settle();
  assert.deepEqual(
    fieldsOf(await store.rows('Door_CL'), 'n'),
    Array.from({ length: 30 }, (_, n) => n),
  );
});
