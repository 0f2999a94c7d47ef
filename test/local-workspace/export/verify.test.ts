import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { copyFile, cp, mkdir, open, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportSignerOf, publicKeyFile } from '../../../src/local-workspace/export/signer.ts';
import { type VerifyOptions, verifyExport } from '../../../src/local-workspace/export/verify.ts';
import { createExportRig, type ExportRig, filesIn, HOUR, NINE, row, SIGNER } from './export-rig.ts';

/** An export of so many lines, one file each. */
async function exported(t: TestContext, lines: number): Promise<ExportRig> {
  const rig = await createExportRig(t);
  for (let at = 0; at < lines; at += 1) rig.tables.add('Syslog', [row(NINE + at * HOUR)]);
  await rig.exporter().run({ name: 'continuous' });
  return rig;
}

async function faultsIn(folder: string, options?: VerifyOptions): Promise<string[]> {
  return (await verifyExport(folder, options)).faults.map(({ fault, path, number }) => `${fault} ${number ?? '-'} ${path.split('/').at(-1)}`);
}

/** What is found after a change of the manifest's lines. */
async function faultsAfter(t: TestContext, edit: (lines: string[]) => string[], options?: VerifyOptions): Promise<string[]> {
  const rig = await exported(t, 5);
  const path = join(rig.folder, 'manifest.jsonl');
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  await writeFile(
    path,
    edit(lines)
      .map((line) => `${line}\n`)
      .join(''),
  );
  return await faultsIn(rig.folder, options);
}

const swap = (lines: string[], a: number, b: number): string[] => lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');

test('an export is as it was written: empty, with lines, and where it was copied to', async (t) => {
  for (const lines of [0, 3]) {
    const rig = await exported(t, lines);
    const report = await verifyExport(rig.folder);
    assert.deepEqual([report.faults, report.lines, report.head.number], [[], lines, lines]);
    const copy = join(rig.target, 'copies', dirname(rig.folder).length > 0 ? (rig.folder.split('/').at(-1) ?? '') : '');
    await cp(rig.folder, copy, { recursive: true });
    assert.deepEqual(await faultsIn(copy, { publicKey: SIGNER.publicKey, expectedHead: report.head }), []);
  }
});

test('one changed byte is found, whichever it is, in whichever file', async (t) => {
  const rig = await exported(t, 2);
  let bytes = 0;
  for (const path of await filesIn(rig.folder)) {
    const { size } = await stat(join(rig.folder, path));
    const file = await open(join(rig.folder, path), 'r+');
    const byte = Buffer.alloc(1);
    for (let at = 0; at < size; at += 1) {
      await file.read(byte, 0, 1, at);
      await file.write(Buffer.from([byte.readUInt8() ^ (1 << (at % 8))]), 0, 1, at);
      assert.notDeepEqual(await faultsIn(rig.folder), [], `${path}, byte ${at}`);
      await file.write(byte, 0, 1, at);
    }
    await file.close();
    bytes += size;
  }
  assert.ok(bytes > 2_000);
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('a byte that is missing or too many at the end is found in every file', async (t) => {
  const rig = await exported(t, 2);
  for (const path of await filesIn(rig.folder)) {
    const content = await readFile(join(rig.folder, path));
    for (const changed of [content.subarray(0, -1), content.subarray(1), Buffer.concat([content, Buffer.from('\n')]), Buffer.alloc(0)]) {
      await writeFile(join(rig.folder, path), changed);
      assert.notDeepEqual(await faultsIn(rig.folder), [], `${path}, ${changed.length} of ${content.length} bytes`);
    }
    await writeFile(join(rig.folder, path), content);
  }
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('every file that is missing, added, renamed or exchanged is named', async (t) => {
  const rig = await exported(t, 3);
  const nine = join(rig.folder, 'am-Syslog/y=2026/m=11/d=29/h=09/00000001.json.gz');
  const ten = join(rig.folder, 'am-Syslog/y=2026/m=11/d=29/h=10/00000002.json.gz');
  await rename(nine, join(rig.folder, '..', 'kept'));
  assert.deepEqual(await faultsIn(rig.folder), ['missing 1 00000001.json.gz']);
  await copyFile(ten, nine);
  assert.match(String(await faultsIn(rig.folder)), /^changed 1 00000001/);
  await rm(nine);
  await rename(join(rig.folder, '..', 'kept'), join(dirname(nine), '00000009.json.gz'));
  assert.deepEqual(await faultsIn(rig.folder), ['missing 1 00000001.json.gz', 'added - 00000009.json.gz']);
  await rename(join(dirname(nine), '00000009.json.gz'), nine);
  for (const added of ['notes.txt', 'am-Syslog/readme', '.hidden', 'am-Perf/y=2026/m=11/d=29/h=09/00000004.json.gz']) {
    await mkdir(dirname(join(rig.folder, added)), { recursive: true });
    await writeFile(join(rig.folder, added), 'x');
    assert.deepEqual(await faultsIn(rig.folder), [`added - ${added.split('/').at(-1)}`]);
    await rm(join(rig.folder, added));
  }
  for (const name of ['manifest.head', 'public-key.pem', 'manifest.jsonl']) {
    await rename(join(rig.folder, name), join(rig.folder, '..', name));
    assert.ok((await faultsIn(rig.folder)).includes(`missing - ${name}`), name);
    await rename(join(rig.folder, '..', name), join(rig.folder, name));
  }
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('links are faults, wherever they lead', async (t) => {
  const rig = await exported(t, 2);
  const file = join(rig.folder, 'am-Syslog/y=2026/m=11/d=29/h=09/00000001.json.gz');
  const elsewhere = join(rig.target, 'elsewhere');
  await rename(file, elsewhere);
  await symlink(elsewhere, file);
  assert.deepEqual(await faultsIn(rig.folder), ['changed 1 00000001.json.gz', 'link - 00000001.json.gz']);
  await rm(file);
  await rename(elsewhere, file);
  await rename(join(rig.folder, 'am-Syslog'), elsewhere);
  await symlink(elsewhere, join(rig.folder, 'am-Syslog'));
  assert.deepEqual(await faultsIn(rig.folder), ['changed 1 00000001.json.gz', 'changed 2 00000002.json.gz', 'link - am-Syslog']);
  await rm(join(rig.folder, '.unfinished'), { recursive: true });
  await symlink('/', join(rig.folder, '.unfinished'));
  assert.ok((await faultsIn(rig.folder)).includes('link - .unfinished'));
});

test('removed, repeated and reordered lines are told by their numbers', async (t) => {
  const first = (faults: string[]): string | undefined => faults[0];
  assert.deepEqual(await faultsAfter(t, (lines) => lines.toSpliced(2, 1)), ['removed 3 manifest.jsonl', 'added - 00000003.json.gz']);
  assert.equal(first(await faultsAfter(t, (lines) => lines.toSpliced(0, 1))), 'removed 1 manifest.jsonl');
  assert.equal(first(await faultsAfter(t, (lines) => lines.toSpliced(1, 2))), 'removed 2 manifest.jsonl');
  assert.equal(first(await faultsAfter(t, (lines) => swap(lines, 1, 2))), 'reordered 3 manifest.jsonl');
  assert.equal(first(await faultsAfter(t, (lines) => swap(lines, 0, 4))), 'reordered 5 manifest.jsonl');
  assert.deepEqual(await faultsAfter(t, (lines) => lines.toSpliced(3, 0, lines[1] ?? '')), ['repeated 2 manifest.jsonl']);
  assert.deepEqual(await faultsAfter(t, (lines) => [...lines, lines[4] ?? '']), ['repeated 5 manifest.jsonl']);
});

test('a changed line and one that was never written are told apart, and the lines behind them are still checked', async (t) => {
  assert.deepEqual(await faultsAfter(t, (lines) => lines.with(1, (lines[1] ?? '').replace('"rows":1', '"rows":2'))), [
    'changed 2 manifest.jsonl',
    'added - 00000002.json.gz',
  ]);
  assert.deepEqual(await faultsAfter(t, (lines) => lines.toSpliced(2, 0, (lines[2] ?? '').replace('"rows":1', '"rows":2'))), ['inserted 3 manifest.jsonl']);
  const two = await faultsAfter(t, (lines) => lines.with(0, '{}').toSpliced(3, 1));
  assert.deepEqual(two.slice(0, 2), ['changed 1 manifest.jsonl', 'removed 4 manifest.jsonl']);
});

test('a tail that was cut off is found by the head beside the manifest, and by one that was noted elsewhere', async (t) => {
  assert.deepEqual(await faultsAfter(t, (lines) => lines.slice(0, 3)), ['cut 4 manifest.head', 'added - 00000004.json.gz', 'added - 00000005.json.gz']);
  assert.equal((await faultsAfter(t, () => []))[0], 'cut 1 manifest.head');
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE)]);
  await rig.exporter().run({ name: 'early', to: NINE + HOUR });
  const early = await readFile(join(rig.folder, 'manifest.head'));
  const lines = await readFile(join(rig.folder, 'manifest.jsonl'));
  rig.tables.add('Syslog', [row(NINE + HOUR)]);
  const { head } = await rig.exporter().run({ name: 'early' });
  await rm(join(rig.folder, 'am-Syslog/y=2026/m=11/d=29/h=10'), { recursive: true });
  await writeFile(join(rig.folder, 'manifest.head'), early);
  await writeFile(join(rig.folder, 'manifest.jsonl'), lines);
  assert.deepEqual(await faultsIn(rig.folder), [], 'an export that is as it was at one time cannot be found by its folder alone');
  assert.deepEqual(await faultsIn(rig.folder, { expectedHead: head }), ['cut 2 manifest.jsonl']);
  assert.deepEqual(await faultsIn(rig.folder, { expectedHead: { number: 1, hash: 'a'.repeat(64) } }), ['other-history 1 manifest.jsonl']);
});

test('an export that was signed anew with another key is found by who kept the key', async (t) => {
  const rig = await createExportRig(t);
  const signer = exportSignerOf(generateKeyPairSync('ed25519').privateKey);
  rig.tables.add('Syslog', [row(NINE)]);
  await rig.exporter({ signer }).run({ name: 'continuous' });
  assert.deepEqual(await faultsIn(rig.folder), []);
  assert.match((await verifyExport(rig.folder)).remarks.join(), /lies beside the export/);
  const faults = await faultsIn(rig.folder, { publicKey: SIGNER.publicKey });
  assert.deepEqual(faults.slice(0, 3), ['other-key - public-key.pem', 'changed 1 manifest.jsonl', 'changed - manifest.head']);
  await writeFile(join(rig.folder, 'public-key.pem'), publicKeyFile(SIGNER.publicKey));
  assert.ok((await faultsIn(rig.folder)).includes('changed 1 manifest.jsonl'));
});

test('what a crash leaves is no damage of the export, but a line that is not finished is', async (t) => {
  const rig = await exported(t, 2);
  await writeFile(join(rig.folder, '.unfinished', '3.draft'), 'x');
  const report = await verifyExport(rig.folder);
  assert.deepEqual([report.faults, report.remarks.length], [[], 2]);
  const manifest = join(rig.folder, 'manifest.jsonl');
  await writeFile(manifest, `${await readFile(manifest, 'utf8')}{"number":3,`);
  assert.deepEqual(await faultsIn(rig.folder), ['unfinished 3 manifest.jsonl']);
});

test('a folder that is no export, or is not there, is told as such', async (t) => {
  const rig = await createExportRig(t);
  assert.deepEqual(await faultsIn(rig.target), ['missing - public-key.pem', 'missing - manifest.head', 'missing - manifest.jsonl']);
  await assert.rejects(verifyExport(join(rig.target, 'nowhere')), { code: 'ENOENT' });
});
