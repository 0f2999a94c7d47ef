import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { ExportProgress } from '../../../src/local-workspace/export/requests.ts';
import { verifyExport } from '../../../src/local-workspace/export/verify.ts';
import { BANK, temporaryFolder } from '../../local-workspace/rig.ts';
import { eventually } from '../../support/eventually.ts';
import { seeded } from '../../support/seeded.ts';
import { startLife } from './life.ts';
import { sendCustom } from './senders.ts';

const ROUNDS = 6;
const TABLES = 12;
const ROWS = 40;
const FROM = '2020-01-01T00:00:00.000Z';

test('killed while it exports: every row is exported once, and the export is as it was written', async (t) => {
  const folder = await temporaryFolder(t);
  const target = join(folder, 'export');
  await mkdir(target);
  const settings = join(folder, 'settings.yaml');
  await writeFile(settings, `workspaces:\n  ${BANK}:\n    export: { target: ${target}, everyMinutes: 0 }\n`);
  const { life, agent } = await startLife(t, ['--settings', settings]);
  const words: string[] = [];
  for (let table = 0; table < TABLES; table += 1) {
    const records = Array.from({ length: ROWS }, (_, at) => ({ word: `w-${table}-${at}-` }));
    assert.equal((await sendCustom(life, agent, `Log${table}`, records)).status, 200);
    words.push(...records.map(({ word }) => word));
  }
  const to = new Date(Date.now() + 1_000).toISOString();
  const exported = (): Promise<unknown> => life.operator('POST', '/export', { workspace: BANK, from: FROM, to });
  const progress = async (): Promise<ExportProgress | undefined> => ((await life.operator('GET', `/export?workspace=${BANK}`)) as ExportProgress[])[0];
  const chance = seeded(4714);
  let interrupted = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    await exported();
    const until = chance() * 120;
    const began = performance.now();
    while (performance.now() - began < until) await life.operator('GET', '/fault');
    if ((await progress())?.state === 'running') interrupted += 1;
    await life.kill();
    await life.start();
  }
  assert.ok(interrupted > 0, 'no export was under way when it was killed');
  // It ends only once no row can come any more that belongs to it.
  await eventually('the range is exported', async () => {
    const job = await progress();
    if (job?.state !== 'running' && job?.detail !== `until ${to}`) await exported();
    return job?.state === 'done' && job.detail === `until ${to}`;
  });
  const report = await verifyExport(join(target, BANK));
  assert.deepEqual(report.faults, []);
  assert.deepEqual((await wordsIn(join(target, BANK))).sort(), words.sort());
});

async function wordsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.gz'));
  const texts = await Promise.all(files.map(async ({ parentPath, name }) => gunzipSync(await readFile(join(parentPath, name))).toString('utf8')));
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
  return lines.map((line) => (JSON.parse(line) as { word_s: string }).word_s);
}
