import assert from 'node:assert/strict';
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type AskWorkspace, exportCommand } from '../../../src/commands/local-workspace-export.ts';
import { CommandFailure } from '../../../src/commands/output.ts';
import { formatHead } from '../../../src/local-workspace/export/manifest-head.ts';
import { publicKeyFile } from '../../../src/local-workspace/export/signer.ts';
import type { ExportReport } from '../../../src/local-workspace/export/verify.ts';
import { BANK, temporaryFolder } from '../rig.ts';
import { createExportRig, NINE, row, SIGNER } from './export-rig.ts';

interface Ran {
  readonly code: number;
  readonly text: string;
  readonly message: string;
}

async function run(args: readonly string[], ask: AskWorkspace = () => assert.fail('nobody is asked')): Promise<Ran> {
  const lines: string[] = [];
  const command = exportCommand(ask, (json) => ({ json, line: (line) => void lines.push(line) }));
  const text = (): string => lines.join('\n');
  try {
    await command.parseAsync(args, { from: 'user' });
    return { code: 0, text: text(), message: '' };
  } catch (error) {
    assert.ok(error instanceof CommandFailure);
    return { code: error.exitCode, text: text(), message: error.message };
  }
}

test('verify says what an export holds and which head to note, and 1 when something is wrong', async (t) => {
  const rig = await createExportRig(t);
  rig.tables.add('Syslog', [row(NINE), row(NINE + 1)]);
  const { head } = await rig.exporter().run({ name: 'continuous' });
  const good = await run(['verify', rig.folder]);
  assert.equal(good.code, 0);
  assert.match(good.text, new RegExp(`1 files are as they were written.*--head ${formatHead(head)}`));
  assert.match(good.text, /continuous +Syslog +1 +2 /);

  const keyFile = join(await temporaryFolder(t), 'kept.pem');
  await writeFile(keyFile, publicKeyFile(SIGNER.publicKey));
  assert.equal((await run(['verify', rig.folder, '--public-key', keyFile, '--head', formatHead(head)])).code, 0);
  const cut = await run(['verify', rig.folder, '--head', `9:${head.hash}`]);
  assert.deepEqual([cut.code, /^cut: manifest.jsonl \(line 2\)/.test(cut.text)], [1, true]);

  await writeFile(join(rig.folder, 'added\u001b[2J'), 'x');
  const bad = await run(['verify', rig.folder]);
  assert.deepEqual([bad.code, bad.text.split('\n')[0]], [1, 'added: added [2J: no line that can be trusted names it.']);
  assert.match(bad.message, /1 faults/);
  const json = await run(['verify', rig.folder, '--json']);
  assert.deepEqual([json.code, (JSON.parse(json.text) as ExportReport).faults.length], [1, 1]);
});

test('verify refuses a folder that is not there and a key file that holds none', async (t) => {
  const folder = await temporaryFolder(t);
  const missing = await run(['verify', join(folder, 'nowhere')]);
  assert.deepEqual([missing.code, /cannot be read/.test(missing.message)], [1, true]);
  await appendFile(join(folder, 'key.pem'), 'x');
  assert.equal((await run(['verify', folder, '--public-key', join(folder, 'key.pem')])).code, 2);
  await rm(join(folder, 'key.pem'));
  assert.equal((await run(['verify', folder, '--public-key', join(folder, 'key.pem')])).code, 2);
});

test('create and restore ask the running process, and show how far it has come', async () => {
  const asked: unknown[] = [];
  const ask: AskWorkspace = async (data, request) => {
    asked.push([data, request]);
    return [{ job: 'range-a', state: 'running', rows: 0, files: 0, detail: '' }];
  };
  const created = await run(['create', '--data', '/data', '--workspace', BANK, '--from', '2026-11-29', '--to', '2026-11-30', '--table', 'Perf', 'Syslog'], ask);
  assert.match(created.text, /JOB +STATE.*\nrange-a +running/);
  await run(['restore', '/mnt/export', '--data', '/data', '--workspace', BANK], ask);
  assert.deepEqual(JSON.parse(JSON.stringify(asked)), [
    [
      '/data',
      {
        method: 'POST',
        path: '/export',
        body: { workspace: BANK, from: '2026-11-29T00:00:00.000Z', to: '2026-11-30T00:00:00.000Z', tables: ['Perf', 'Syslog'] },
      },
    ],
    ['/data', { method: 'POST', path: '/export/restore', body: { workspace: BANK, folder: '/mnt/export' } }],
  ]);
});
