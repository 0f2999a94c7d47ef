import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { databasePath, openDatabase, RECEIPT_TABLES, workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import { realDisk } from '../../../src/local-workspace/private-storage/place/disk.ts';
import { writePrimaryMark } from '../../../src/local-workspace/replica/marks.ts';
import { adoptCopies } from '../../../src/local-workspace/replica/workspace/adopt.ts';
import { copiedWith } from '../../../src/local-workspace/replica/workspace/catalogue-snapshot.ts';
import { createWorkspaceSource } from '../../../src/local-workspace/replica/workspace/workspace-source.ts';
import { prepareRetentionTables } from '../../../src/local-workspace/retention/retention-database.ts';
import { type Catalogue, openCatalogue } from '../../../src/local-workspace/tables/catalogue.ts';
import { BANK, temporaryFolder } from '../rig.ts';

const MARK = { format: 1, id: '11111111-1111-4111-8111-111111111111', owner: BANK, epoch: 2 } as const;
const PLAIN = { seal: (_place: string, plain: Buffer) => plain, open: (_place: string, sealed: Uint8Array) => Buffer.from(sealed) };

interface FilledWorkspace {
  readonly folder: string;
  readonly register: DatabaseSync;
  readonly catalogue: Catalogue;
  /** Adds receipts for places from one to another, both included. */
  receive(from: number, to: number): void;
  /** Copies the catalogue with all that belongs to it, as the replica does; the paths of what was named. */
  copy(): Promise<string[]>;
  /** A data folder as a take-over leaves it, of what was copied last. */
  takenOver(): Promise<{ folder: string; dataFolder: string; adopt(): Promise<void> }>;
}

async function filled(t: TestContext): Promise<FilledWorkspace> {
  const dataFolder = await temporaryFolder(t);
  const folder = workspaceFolder(dataFolder, BANK);
  await mkdir(folder, { recursive: true });
  const register = await openDatabase(dataFolder, BANK);
  const catalogue = openCatalogue(join(folder, 'catalogue.sqlite'), BANK, PLAIN);
  t.after(() => {
    register.close();
    catalogue.close();
  });
  prepareRetentionTables(register);
  register.prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?)').run('f1', 'agent', 'web01', 'Debian', 'now');
  await mkdir(join(folder, 'staging'));
  await writeFile(join(folder, 'data-key.json'), '{"wrapped":1}');
  const source = createWorkspaceSource({ folder, register: databasePath(dataFolder, BANK), lengthOf: () => undefined });
  const copied = join(await temporaryFolder(t), 'catalogue');
  return {
    ...{ folder, register, catalogue },
    receive(from, to) {
      const rows = `WITH RECURSIVE n(seq) AS (SELECT ${from} UNION ALL SELECT seq + 1 FROM n WHERE seq < ${to}) SELECT seq, 'b' || seq, 'w', 'a', 'a', 'Syslog', 's', 'now', 'h', 1, 1, 0 FROM n`;
      register.exec(`INSERT INTO batches ${rows}`);
    },
    async copy() {
      await rm(copied, { force: true });
      return (await source.catalogue.copyTo(copied)).map(({ path }) => path);
    },
    async takenOver() {
      const to = await temporaryFolder(t);
      const own = workspaceFolder(to, BANK);
      await mkdir(own, { recursive: true });
      await cp(join(folder, 'replica-copies'), join(own, 'replica-copies'), { recursive: true });
      await copyFile(copied, join(own, 'catalogue.sqlite'));
      await writePrimaryMark(realDisk, own, MARK);
      return { folder: own, dataFolder: to, adopt: () => adoptCopies(own, databasePath(to, BANK)) };
    },
  };
}

function receiptsIn(register: DatabaseSync): { n: number; last: number } {
  return register.prepare('SELECT count(*) AS n, coalesce(max(seq), 0) AS last FROM batches').get() as { n: number; last: number };
}

test('a register of any length comes back whole from chunks, of which only the last one is ever made anew', async (t) => {
  const workspace = await filled(t);
  workspace.receive(1, 45_000);
  workspace.catalogue.commit({ stagedSeq: 45_000 });
  const first = (await workspace.copy()).filter((path) => path.includes('receipts-'));
  workspace.receive(45_001, 45_010);
  workspace.catalogue.commit({ stagedSeq: 45_010 });
  const second = (await workspace.copy()).filter((path) => path.includes('receipts-'));
  assert.deepEqual([first.length, second.length], [3, 3]);
  assert.deepEqual(second.slice(0, 2), first.slice(0, 2));

  const taken = await workspace.takenOver();
  await taken.adopt();
  const register = await openDatabase(taken.dataFolder, BANK);
  t.after(() => register.close());
  assert.deepEqual({ ...receiptsIn(register) }, { n: 45_010, last: 45_010 });
  assert.equal((register.prepare('SELECT host_name AS name FROM certificates').get() as { name: string }).name, 'web01');
  for (const table of RECEIPT_TABLES)
    assert.throws(() => register.exec(`INSERT OR REPLACE INTO batches SELECT * FROM batches LIMIT 1; DELETE FROM ${table}`), /kept/);
  assert.equal(await readFile(join(taken.folder, 'data-key.json'), 'utf8'), '{"wrapped":1}');
  assert.equal(copiedWith(taken.folder), undefined);
});

test('receipts of rows that are not in the tables yet are left to the staging log', async (t) => {
  const workspace = await filled(t);
  workspace.receive(1, 10);
  workspace.catalogue.commit({ stagedSeq: 7 });
  await workspace.copy();
  const taken = await workspace.takenOver();
  await taken.adopt();
  const register = await openDatabase(taken.dataFolder, BANK);
  t.after(() => register.close());
  assert.deepEqual({ ...receiptsIn(register) }, { n: 7, last: 7 });
});

test('an unchanged register is not copied again, and what no catalogue names goes', async (t) => {
  const workspace = await filled(t);
  const before = await workspace.copy();
  assert.deepEqual(await workspace.copy(), before);
  workspace.register.prepare('INSERT INTO certificates VALUES (?, ?, ?, ?, ?)').run('f2', 'agent', 'web02', 'Debian', 'now');
  const after = await workspace.copy();
  assert.notDeepEqual(after, before);
  assert.deepEqual((await readdir(join(workspace.folder, 'replica-copies'))).sort(), after.map((path) => path.slice('replica-copies/'.length)).sort());
});

test('after a take-over a newer copy that the catalogue does not name is not used, and a missing one is a refusal', async (t) => {
  const workspace = await filled(t);
  workspace.receive(1, 5);
  workspace.catalogue.commit({ stagedSeq: 5 });
  await workspace.copy();
  const stray = await workspace.takenOver();
  await writeFile(join(stray.folder, 'replica-copies', `register-${'0'.repeat(64)}.sqlite`), 'newer, and its catalogue never came');
  await stray.adopt();
  assert.ok(!(await readdir(join(stray.folder, 'replica-copies'))).some((name) => name.includes('0'.repeat(64))));

  const torn = await workspace.takenOver();
  const names = await readdir(join(torn.folder, 'replica-copies'));
  await rm(join(torn.folder, 'replica-copies', names.find((name) => name.startsWith('receipts-')) ?? ''));
  await assert.rejects(torn.adopt(), { code: 'relay.local-workspace.copy-incomplete', message: /receipts-.* is not there/ });
  await assert.rejects(readFile(databasePath(torn.dataFolder, BANK)), { code: 'ENOENT' });
  assert.ok(copiedWith(torn.folder), 'it can be done again');
});

test('a data folder that was never taken over is left as it is', async (t) => {
  const workspace = await filled(t);
  await adoptCopies(workspace.folder, databasePath(await temporaryFolder(t), BANK));
  await writePrimaryMark(realDisk, workspace.folder, MARK);
  const elsewhere = databasePath(await temporaryFolder(t), BANK);
  await adoptCopies(workspace.folder, elsewhere);
  await assert.rejects(readFile(elsewhere), { code: 'ENOENT' });
});
