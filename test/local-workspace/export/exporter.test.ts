import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { exportSignerOf } from '../../../src/local-workspace/export/signer.ts';
import { verifyExport } from '../../../src/local-workspace/export/verify.ts';
import { type Disk, realDisk } from '../../../src/local-workspace/private-storage/place/disk.ts';
import { createSealer } from '../../../src/local-workspace/private-storage/sealer.ts';
import { crashingDisk } from '../private-storage/crashing-disk.ts';
import { BANK } from '../rig.ts';
import { createExportRig, type ExportRig, exportedIds, filesIn, HOUR, idsOf, NINE, row, type TestRow, testTables } from './export-rig.ts';

const RANGE = { name: 'range-a', from: NINE, to: NINE + 3 * HOUR };

async function faultsIn(folder: string): Promise<string[]> {
  return (await verifyExport(folder)).faults.map(({ fault, path }) => `${fault} ${path}`);
}

/** Two tables, three hours, five rows. */
function filledRows(rig: ExportRig): TestRow[] {
  const syslog = [row(NINE), row(NINE + 1), row(NINE + HOUR)];
  const perf = [row(NINE + 2 * HOUR), row(NINE + HOUR - 1)];
  rig.tables.add('Syslog', syslog);
  rig.tables.add('Perf', perf);
  return [...syslog, ...perf];
}

test('rows are exported by table and hour of their receipt, as compressed JSON lines that nobody may change', async (t) => {
  const rig = await createExportRig(t);
  const rows = filledRows(rig);
  const done = await rig.exporter().run(RANGE);
  assert.deepEqual([done.rows, done.files, done.until, done.head.number], [5, 4, RANGE.to, 4]);
  const files = (await filesIn(rig.folder)).filter((path) => path.startsWith('am-'));
  assert.deepEqual(files, [
    'am-Perf/y=2026/m=11/d=29/h=09/00000001.json.gz',
    'am-Perf/y=2026/m=11/d=29/h=11/00000002.json.gz',
    'am-Syslog/y=2026/m=11/d=29/h=09/00000003.json.gz',
    'am-Syslog/y=2026/m=11/d=29/h=10/00000004.json.gz',
  ]);
  const file = join(rig.folder, files[2] ?? '');
  assert.equal((await lstat(file)).mode & 0o777, 0o400);
  assert.equal((await lstat(file)).nlink, 1);
  const [first = ''] = gunzipSync(await readFile(file))
    .toString('utf8')
    .split('\n');
  assert.deepEqual(JSON.parse(first), {
    TimeGenerated: '2026-11-29T08:59:00.000Z',
    Message: 'hello',
    _TimeReceived: '2026-11-29T09:00:00.000Z',
    _ItemId: rows[0]?.['_ItemId'],
  });
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
  const report = await verifyExport(rig.folder);
  assert.deepEqual([report.faults, report.lines, report.workspace, report.head], [[], 4, BANK, done.head]);
  assert.deepEqual(
    report.tables.map(({ table, files: count, rows: sum, from, to }) => [table, count, sum, from, to]),
    [
      ['Perf', 2, 2, '2026-11-29T09:00:00.000Z', '2026-11-29T12:00:00.000Z'],
      ['Syslog', 2, 3, '2026-11-29T09:00:00.000Z', '2026-11-29T11:00:00.000Z'],
    ],
  );
});

test('a line of the manifest says what its file holds', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE + 5), row(NINE + 7)]);
  await rig.exporter().run(RANGE);
  const line = JSON.parse(await readFile(join(rig.folder, 'manifest.jsonl'), 'utf8')) as Record<string, unknown>;
  const { sha256, contentSha256, signature, bytes, contentBytes, key, ...facts } = line;
  assert.deepEqual(facts, {
    number: 1,
    workspace: BANK,
    job: 'range-a',
    table: 'Syslog',
    path: 'am-Syslog/y=2026/m=11/d=29/h=09/00000001.json.gz',
    columns: { TimeGenerated: 'datetime', Message: 'string', _TimeReceived: 'datetime', _ItemId: 'guid' },
    from: '2026-11-29T09:00:00.000Z',
    to: '2026-11-29T10:00:00.000Z',
    part: 1,
    parts: 1,
    rows: 2,
    oldest: '2026-11-29T08:59:00.005Z',
    newest: '2026-11-29T08:59:00.007Z',
    seal: 'none',
    writtenAt: '2026-11-29T09:00:00.000Z',
    before: '0'.repeat(64),
  });
});

test('only the tables that are asked for are exported, and what is asked for wrongly is refused', async (t) => {
  const rig = await createExportRig(t);
  filledRows(rig);
  const exporter = rig.exporter();
  assert.equal((await exporter.run({ ...RANGE, tables: ['Perf', 'NotYet_CL'] })).rows, 2);
  for (const bad of [
    { ...RANGE, name: '../x' },
    { ...RANGE, name: '' },
    { ...RANGE, to: NINE },
    { ...RANGE, tables: ['../etc'] },
  ]) {
    await assert.rejects(exporter.run(bad), { code: 'relay.local-workspace.export-bad-job' }, JSON.stringify(bad));
  }
});

test('a job that is run again writes nothing twice, and takes what is new', async (t) => {
  const rig = await createExportRig(t, testTables(NINE + HOUR / 2));
  const job = { name: 'continuous' };
  const early = [row(NINE + 1), row(NINE + 2)];
  rig.tables.add('Syslog', [...early, row(NINE + HOUR / 2)]);
  assert.equal((await rig.exporter().run(job)).rows, 2);
  assert.equal((await rig.exporter().run(job)).rows, 0);
  const exporter = rig.exporter();
  const late = [row(NINE + HOUR - 1), row(NINE + 5 * HOUR)];
  rig.tables.add('Syslog', late);
  rig.tables.settle(NINE + 6 * HOUR);
  assert.deepEqual(await exporter.run(job).then(({ rows, files }) => [rows, files]), [3, 2]);
  assert.equal((await exporter.run(job)).rows, 0);
  const ids = await exportedIds(rig.folder);
  assert.deepEqual([ids.length, new Set(ids).size], [5, 5]);
  assert.deepEqual(
    (await filesIn(rig.folder)).filter((path) => path.includes('h=09')),
    ['am-Syslog/y=2026/m=11/d=29/h=09/00000001.json.gz', 'am-Syslog/y=2026/m=11/d=29/h=09/00000002.json.gz'],
  );
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('what is received while rows may still come is left for later, and said so', async (t) => {
  const rig = await createExportRig(t, testTables(NINE + 10));
  rig.tables.add('Syslog', [row(NINE + 9), row(NINE + 10)]);
  const first = await rig.exporter().run(RANGE);
  assert.deepEqual([first.rows, first.until], [1, NINE + 10]);
  rig.tables.settle(NINE + 24 * HOUR);
  const second = await rig.exporter().run(RANGE);
  assert.deepEqual([second.rows, second.until], [1, RANGE.to]);
});

test('an hour with more than a file takes has several parts', async (t) => {
  const rig = await createExportRig(t);
  const rows = Array.from({ length: 5_000 }, (_, at) => row(NINE + at, `message ${at} ${'.'.repeat(40)}`));
  rig.tables.add('Syslog', rows.slice(0, 2_500));
  rig.tables.add('Syslog', rows.slice(2_500));
  const { files } = await rig.exporter({ partBytes: 200_000 }).run(RANGE);
  assert.ok(files > 3, `${files} files`);
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
  assert.deepEqual(await faultsIn(rig.folder), []);
});

for (const death of ['kill', 'power-cut'] as const) {
  test(`after a ${death} at any step the export has every row once, is as it was written, and has no drafts`, async (t) => {
    let steps = 0;
    for (let step = 1; steps === 0; step += 1) {
      const rig = await createExportRig(t);
      const rows = filledRows(rig);
      const first = await crashingDisk(step, death);
      const isDone = await rig
        .exporter({ disk: first, partBytes: 1 })
        .run({ name: 'continuous', to: NINE + HOUR })
        .then(
          () => true,
          () => false,
        );
      await first.bury();
      if (isDone) steps = first.steps();
      // The second process dies too, somewhere in what the first one left.
      const second = await crashingDisk((step * 7) % 40, death);
      await rig
        .exporter({ disk: second })
        .run({ name: 'continuous' })
        .catch(() => {});
      await second.bury();
      await rig.exporter().run({ name: 'continuous' });
      assert.deepEqual(await exportedIds(rig.folder), idsOf(rows), `step ${step}`);
      assert.deepEqual(await faultsIn(rig.folder), [], `step ${step}`);
      assert.deepEqual(await readdir(join(rig.folder, '.unfinished')), [], `step ${step}`);
      assert.ok(step < 200);
    }
    assert.ok(steps > 30, `${steps} steps`);
  });
}

test('an exporter whose disk failed goes on by itself once it works again', async (t) => {
  const rig = await createExportRig(t);
  const rows = filledRows(rig);
  let isFull = true;
  const disk: Disk = {
    ...realDisk,
    create: async (path, mode) => {
      if (isFull && path.includes('.draft') && path.includes('.unfinished')) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      return await realDisk.create(path, mode);
    },
  };
  const exporter = rig.exporter({ disk });
  await assert.rejects(exporter.run(RANGE), { code: 'relay.local-workspace.export-failed', message: /no space left.*goes on/ });
  isFull = false;
  assert.equal((await exporter.run(RANGE)).rows, 5);
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
});

test('on a file system without hard links files are renamed', async (t) => {
  const rig = await createExportRig(t);
  filledRows(rig);
  const disk: Disk = { ...realDisk, link: () => Promise.reject(Object.assign(new Error('no links'), { code: 'ENOTSUP' })) };
  assert.equal((await rig.exporter({ disk }).run(RANGE)).rows, 5);
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('nothing is overwritten: a file that stands where one is to be stops the export', async (t) => {
  const rig = await createExportRig(t);
  filledRows(rig);
  const hour = join(rig.folder, 'am-Perf/y=2026/m=11/d=29/h=09');
  await rig.exporter().head();
  await mkdir(hour, { recursive: true });
  await writeFile(join(hour, '00000001.json.gz'), 'planted');
  await assert.rejects(rig.exporter().run(RANGE), { code: 'relay.local-workspace.export-name-taken', message: /00000001/ });
  assert.equal(await readFile(join(hour, '00000001.json.gz'), 'utf8'), 'planted');
  await rm(join(hour, '00000001.json.gz'));
  assert.equal((await rig.exporter().run(RANGE)).rows, 4, 'the fifth was under way and is finished first');
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('a folder that is not mounted is missed, whether its mount point is there or not, and nothing is written into it', async (t) => {
  const rig = await createExportRig(t);
  const rows = filledRows(rig);
  const exporter = rig.exporter();
  await exporter.run({ ...RANGE, tables: ['Perf'] });
  await rename(rig.target, `${rig.target}-unmounted`);
  t.after(() => rm(`${rig.target}-unmounted`, { recursive: true, force: true }));
  for (const isMountPoint of [false, true]) {
    if (isMountPoint) await mkdir(rig.target);
    for (const one of [exporter, rig.exporter()]) {
      await assert.rejects(one.run(RANGE), { code: 'relay.local-workspace.export-away', message: /Mount it/ });
    }
  }
  assert.deepEqual(await readdir(rig.target), []);
  await rm(rig.target, { recursive: true });
  await rename(`${rig.target}-unmounted`, rig.target);
  await exporter.run(RANGE);
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
});

test('an export that was set back, changed, or begun by another workspace is not gone on with', async (t) => {
  const whole = async (): Promise<ExportRig> => {
    const rig = await createExportRig(t);
    filledRows(rig);
    await rig.exporter().run(RANGE);
    return rig;
  };
  const manifestOf = (rig: ExportRig): string => join(rig.folder, 'manifest.jsonl');
  const edits: [string, (lines: string[]) => string][] = [
    ['cut', (lines) => `${lines.slice(0, 2).join('\n')}\n`],
    ['cut within a line', (lines) => lines.join('\n').slice(0, -9)],
    ['changed', (lines) => lines.join('\n').replace('"rows":2', '"rows":3')],
    ['reordered', (lines) => [lines[1], lines[0], ...lines.slice(2)].join('\n')],
    ['grown', (lines) => `${lines.join('\n')}{}\n`],
  ];
  for (const [what, edit] of edits) {
    const rig = await whole();
    const changed = edit((await readFile(manifestOf(rig), 'utf8')).split('\n'));
    await writeFile(manifestOf(rig), changed);
    await assert.rejects(rig.exporter().run(RANGE), { code: 'relay.local-workspace.export-damaged', message: /export verify/ }, what);
    assert.equal(await readFile(manifestOf(rig), 'utf8'), changed, what);
  }
  const rig = await whole();
  const signer = exportSignerOf(generateKeyPairSync('ed25519').privateKey);
  await assert.rejects(rig.exporter({ signer }).run(RANGE), { code: 'relay.local-workspace.export-of-another' });
});

test('an export goes on when our own note of it is lost', async (t) => {
  const rig = await createExportRig(t);
  const rows = filledRows(rig);
  await rig.exporter().run({ ...RANGE, tables: ['Syslog'] });
  await rm(rig.stateFolder, { recursive: true });
  await rig.exporter().run(RANGE);
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
});

test('links that somebody planted are not written through', async (t) => {
  const outside = join(await createExportRig(t).then(({ target }) => target), 'outside');
  for (const planted of ['am-Perf', 'am-Perf/y=2026', '.unfinished', 'manifest.jsonl', '.manifest.head.draft']) {
    const rig = await createExportRig(t);
    filledRows(rig);
    await rig.exporter().head();
    await mkdir(outside, { recursive: true });
    await mkdir(join(rig.folder, 'am-Perf'), { recursive: true });
    await rm(join(rig.folder, planted), { recursive: true, force: true });
    await symlink(planted.endsWith('l') || planted.endsWith('draft') ? join(outside, 'file') : outside, join(rig.folder, planted));
    await rig
      .exporter()
      .run(RANGE)
      .catch((error: { code: string }) => assert.match(error.code, /not-a-folder|not-a-file|export-failed|export-damaged/, planted));
    assert.deepEqual(await readdir(outside), [], planted);
  }
});

test('files are made immutable where that is asked for, and a file system that cannot is no reason to stop', async (t) => {
  const rig = await createExportRig(t);
  filledRows(rig);
  const flagged: string[] = [];
  const makeImmutable = async (path: string): Promise<void> => {
    flagged.push(path);
    if (flagged.length > 2) throw new Error('Operation not supported');
  };
  assert.equal((await rig.exporter({ makeImmutable }).run(RANGE)).files, 4);
  assert.equal(flagged.length, 4);
});

test('sealed files tell nothing, and the manifest says that they are sealed', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE, 'a secret')]);
  let isGiven = false;
  const sealer = createSealer(() => (isGiven ? createSecretKey(Buffer.alloc(32, 1)) : undefined));
  const exporter = rig.exporter({ sealer });
  await assert.rejects(exporter.run(RANGE), { code: 'relay.local-workspace.storage-key-unavailable' });
  isGiven = true;
  await exporter.run(RANGE);
  const [path = ''] = (await filesIn(rig.folder)).filter((file) => file.startsWith('am-'));
  assert.match(path, /00000001\.json\.gz\.sealed$/);
  assert.equal((await readFile(join(rig.folder, path))).subarray(0, 4).toString(), 'RLYS');
  assert.match(await readFile(join(rig.folder, 'manifest.jsonl'), 'utf8'), /"seal":"relay-sealed-frames-1"/);
  assert.deepEqual(await faultsIn(rig.folder), []);
});

test('a run that is told to stop stops, and the next one has the rest', async (t) => {
  const rig = await createExportRig(t);
  const rows = filledRows(rig);
  const stop = new AbortController();
  const exporter = rig.exporter({ makeImmutable: async () => stop.abort() });
  await assert.rejects(exporter.run({ ...RANGE, signal: stop.signal }));
  assert.equal((await exportedIds(rig.folder)).length, 1);
  await rig.exporter().run(RANGE);
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
});
