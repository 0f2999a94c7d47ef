import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ManifestEntry } from '../../../src/local-workspace/export/manifest-line.ts';
import { type ExportedRow, readPart } from '../../../src/local-workspace/export/read-part.ts';
import { type RestoreSink, restoreExport } from '../../../src/local-workspace/export/restore.ts';
import { createSealer } from '../../../src/local-workspace/private-storage/sealer.ts';
import { createExportRig, HOUR, idsOf, NINE, row } from './export-rig.ts';

interface Taken extends RestoreSink {
  readonly files: ManifestEntry[];
  readonly rows: ExportedRow[];
}

/** Keeps what it takes, file by file. */
function memorySink(afterFile: (files: number) => void = () => {}): Taken {
  const files: ManifestEntry[] = [];
  const rows: ExportedRow[] = [];
  return {
    files,
    rows,
    async take(entry, batches) {
      const own: ExportedRow[] = [];
      for await (const batch of batches) own.push(...batch);
      files.push(entry);
      rows.push(...own);
      afterFile(files.length);
    },
  };
}

const restoredIds = ({ rows }: Taken): string[] => rows.map((one) => String(one['_ItemId'])).sort();

test('all rows come back, file by file, with the names and types of their columns', async (t) => {
  const rig = await createExportRig(t);
  const rows = Array.from({ length: 2_500 }, (_, at) => row(NINE + at, `message ${at}`));
  rig.tables.add('Syslog', rows);
  rig.tables.add('Perf', [row(NINE + HOUR)]);
  await rig.exporter({ partBytes: 100_000 }).run({ name: 'continuous' });
  const sink = memorySink();
  const outcome = await restoreExport(rig.folder, sink, { tables: ['Syslog'] });
  assert.deepEqual(restoredIds(sink), idsOf(rows));
  assert.ok(sink.files.length > 2 && sink.files.every(({ table }) => table === 'Syslog'));
  assert.deepEqual(sink.files[0]?.columns, { TimeGenerated: 'datetime', Message: 'string', _TimeReceived: 'datetime', _ItemId: 'guid' });
  assert.deepEqual(outcome, { outcome: 'restored', files: sink.files.length, rows: 2_500, droppedRows: 0, lastNumber: sink.files.length + 1 });
});

test('a restore that was stopped goes on behind the last file', async (t) => {
  const rig = await createExportRig(t);
  const rows = [0, 1, 2, 3].map((at) => row(NINE + at * HOUR));
  rig.tables.add('Syslog', rows);
  await rig.exporter().run({ name: 'continuous' });
  const stop = new AbortController();
  const first = memorySink((files) => files === 2 && stop.abort());
  const stopped = await restoreExport(rig.folder, first, { signal: stop.signal });
  assert.ok(stopped.outcome === 'stopped');
  assert.deepEqual([stopped.files, stopped.lastNumber], [2, 2]);
  const second = memorySink();
  await restoreExport(rig.folder, second, { after: stopped.lastNumber });
  assert.deepEqual(
    second.files.map(({ number }) => number),
    [3, 4],
  );
  assert.deepEqual([...restoredIds(first), ...restoredIds(second)].sort(), idsOf(rows));
});

test('rows that two jobs exported are given once, also when their ranges only overlap, and after a stop', async (t) => {
  const rig = await createExportRig(t);
  const rows = [NINE, NINE + HOUR / 2, NINE + HOUR, NINE + HOUR * 1.5, NINE + 2 * HOUR].map((at) => row(at));
  rig.tables.add('Syslog', rows);
  const exporter = rig.exporter();
  await exporter.run({ name: 'range-a', from: NINE + HOUR / 2, to: NINE + HOUR * 1.5 });
  await exporter.run({ name: 'continuous' });
  await exporter.run({ name: 'range-b', from: NINE, to: NINE + 3 * HOUR });
  const sink = memorySink();
  const outcome = await restoreExport(rig.folder, sink);
  assert.deepEqual(restoredIds(sink), idsOf(rows));
  assert.ok(outcome.outcome === 'restored' && outcome.droppedRows === 7);
  const rest = memorySink();
  await restoreExport(rig.folder, rest, { after: 2 });
  assert.deepEqual(restoredIds(rest).length, rows.length - 2);
});

test('an export that is not as it was written is not restored', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE)]);
  await rig.exporter().run({ name: 'continuous' });
  await writeFile(join(rig.folder, 'am-Syslog/y=2026/m=11/d=29/h=09/00000001.json.gz'), gzipSync('{}\n'));
  const sink = memorySink();
  const outcome = await restoreExport(rig.folder, sink);
  assert.ok(outcome.outcome === 'refused');
  assert.equal(outcome.report.faults[0]?.fault, 'changed');
  assert.deepEqual(sink.files, []);
});

test('a file that is changed after the check, while it is read, is not believed', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE)]);
  await rig.exporter().run({ name: 'continuous' });
  const entry = JSON.parse(await readFile(join(rig.folder, 'manifest.jsonl'), 'utf8')) as ManifestEntry;
  const path = join(rig.folder, entry.path);
  const whole = await readFile(path);
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  for (const content of [gzipSync('{}\n'), bomb, whole.subarray(0, -5), Buffer.from('x'), gzipSync('{"a":1}'), gzipSync('no json\n')]) {
    await writeFile(path, content);
    const reading = async (): Promise<void> => {
      for await (const batch of readPart(rig.folder, entry, undefined)) void batch;
    };
    await assert.rejects(reading(), { code: 'relay.local-workspace.export-damaged', message: /line 1 of the manifest/ });
  }
});

test('a sink that fails ends the restore, and nothing stays open', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add(
    'Syslog',
    Array.from({ length: 5_000 }, (_, at) => row(NINE + at)),
  );
  await rig.exporter().run({ name: 'continuous' });
  const failing: RestoreSink = {
    async take(_entry, rows) {
      for await (const batch of rows) assert.equal(batch.length, 0, 'the workspace is full');
    },
  };
  await assert.rejects(restoreExport(rig.folder, failing), /the workspace is full/);
  const open = await Promise.all((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  assert.deepEqual(
    open.filter((path) => path.startsWith(rig.folder)),
    [],
  );
});

test('a sealed export is restored with the key of the customer, and with no other', async (t) => {
  const rig = await createExportRig(t);
  const rows = [row(NINE), row(NINE + HOUR)];
  rig.tables.add('Syslog', rows);
  const sealer = createSealer(() => createSecretKey(Buffer.alloc(32, 1)));
  await rig.exporter({ sealer }).run({ name: 'continuous' });
  const sink = memorySink();
  await restoreExport(rig.folder, sink, { sealer });
  assert.deepEqual(restoredIds(sink), idsOf(rows));
  const other = createSealer(() => createSecretKey(Buffer.alloc(32, 2)));
  await assert.rejects(restoreExport(rig.folder, memorySink(), { sealer: other }), { code: 'relay.local-workspace.cannot-open' });
  await assert.rejects(restoreExport(rig.folder, memorySink()), { code: 'relay.local-workspace.storage-key-unavailable' });
});
