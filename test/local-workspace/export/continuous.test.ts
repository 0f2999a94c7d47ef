import assert from 'node:assert/strict';
import { mkdir, rename, rm } from 'node:fs/promises';
import { test } from 'node:test';
import { startContinuousExport } from '../../../src/local-workspace/export/continuous.ts';
import { silentLogger } from '../../../src/logger.ts';
import { eventually } from '../../support/eventually.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createExportRig, exportedIds, HOUR, idsOf, NINE, row, testTables } from './export-rig.ts';

const MINUTE = 60_000;

test('what is new is exported every five minutes, and what waited while the folder was away comes with the next run', async (t) => {
  const rig = await createExportRig(t, testTables(NINE + HOUR));
  const clock = createManualClock(NINE);
  const rows = [row(NINE)];
  rig.tables.add('Syslog', rows);
  const running = startContinuousExport({ exporter: rig.exporter(), everyMs: 5 * MINUTE, clock, log: silentLogger });
  t.after(() => running.stop());
  await running.runNow();
  assert.deepEqual(running.state(), { until: NINE + HOUR, failure: undefined, failingSince: undefined, rows: 1, files: 1 });

  await rename(rig.target, `${rig.target}-away`);
  t.after(() => rm(`${rig.target}-away`, { recursive: true, force: true }));
  await mkdir(rig.target);
  rows.push(row(NINE + HOUR));
  rig.tables.add('Syslog', rows.slice(-1));
  rig.tables.settle(NINE + 2 * HOUR);
  await running.runNow();
  assert.match(running.state().failure ?? '', /Mount it/);
  assert.deepEqual([running.state().failingSince, running.state().until], [NINE, NINE + HOUR]);

  await rm(rig.target, { recursive: true });
  await rename(`${rig.target}-away`, rig.target);
  await eventually('the next run is planned', () => clock.waits().length > 0);
  clock.advance(5 * MINUTE);
  await eventually('the export works again', () => running.state().failure === undefined);
  assert.deepEqual(running.state(), { until: NINE + 2 * HOUR, failure: undefined, failingSince: undefined, rows: 2, files: 2 });
  assert.deepEqual(await exportedIds(rig.folder), idsOf(rows));
});

test('a stop waits for the run that is under way, and no run comes after it', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE)]);
  const clock = createManualClock(NINE);
  const running = startContinuousExport({ exporter: rig.exporter(), everyMs: MINUTE, clock, log: silentLogger });
  await running.stop();
  const before = running.state();
  clock.advance(10 * MINUTE);
  await running.runNow();
  assert.deepEqual(running.state(), before);
});
