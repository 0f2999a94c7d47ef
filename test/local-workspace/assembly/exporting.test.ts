import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { askControl } from '../../../src/local-workspace/control/control-client.ts';
import type { ExportProgress } from '../../../src/local-workspace/export/requests.ts';
import { verifyExport } from '../../../src/local-workspace/export/verify.ts';
import { readSettings } from '../../../src/local-workspace/settings.ts';
import type { WorkspaceId } from '../../../src/workspace/workspace-id.ts';
import { eventually } from '../../support/eventually.ts';
import { BANK, onboardedAgent, PLANT, post, startRig, syslog, temporaryFolder } from '../rig.ts';

async function ask(dataFolder: string, workspaceId: WorkspaceId, query: string): Promise<readonly (readonly unknown[])[]> {
  const answer = await askControl(dataFolder, { method: 'POST', path: `/v1/workspaces/${workspaceId}/query`, body: { query } });
  return (answer as { tables: readonly { rows: readonly (readonly unknown[])[] }[] }).tables[0]?.rows ?? [];
}

async function progress(dataFolder: string, workspaceId: WorkspaceId, job: RegExp): Promise<ExportProgress | undefined> {
  const all = (await askControl(dataFolder, { method: 'GET', path: `/export?workspace=${workspaceId}` })) as ExportProgress[];
  return all.find((one) => job.test(one.job));
}

test('what came is exported by itself, verified, and taken back by another workspace, once', async (t) => {
  const target = await temporaryFolder(t);
  const settings = readSettings({ workspaces: { [BANK]: { export: { target, everyMinutes: 0 } } } });
  const { dataFolder, listening } = await startRig(t, { settings });
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['first', 'second', 'naïve ☃']));
  await post(listening, agent.identity, syslog(['third']));
  // A range ends where rows may still come, so the clock must have gone on.
  const to = new Date(Date.now() + 1_000).toISOString();
  await eventually('all four are exported', async () => {
    await askControl(dataFolder, { method: 'POST', path: '/export', body: { workspace: BANK, from: '2020-01-01T00:00:00Z', to } });
    return (await verifyExport(join(target, BANK)).catch(() => undefined))?.tables.reduce((sum, { rows }) => sum + rows, 0) === 4;
  });

  const before = await ask(dataFolder, BANK, 'Syslog | project SyslogMessage, _TimeReceived, TimeGenerated, Computer | sort by SyslogMessage asc');
  assert.equal(before.length, 4);
  for (let time = 0; time < 2; time += 1) {
    await askControl(dataFolder, { method: 'POST', path: '/export/restore', body: { workspace: PLANT, folder: join(target, BANK) } });
    await eventually('the restore ends', async () => (await progress(dataFolder, PLANT, /^restore/))?.state === 'done');
    const after = await ask(dataFolder, PLANT, 'Syslog | project SyslogMessage, _TimeReceived, TimeGenerated, Computer | sort by SyslogMessage asc');
    assert.deepEqual(after, before);
  }
  const [tenant] = (await ask(dataFolder, PLANT, 'Syslog | distinct TenantId'))[0] ?? [];
  assert.equal(tenant, PLANT);
});

test('an export that was changed is not taken back', async (t) => {
  const target = await temporaryFolder(t);
  const settings = readSettings({ workspaces: { [BANK]: { export: { target, everyMinutes: 0 } } } });
  const { dataFolder, listening } = await startRig(t, { settings });
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['kept']));
  const to = new Date(Date.now() + 1_000).toISOString();
  await eventually('it is exported', async () => {
    await askControl(dataFolder, { method: 'POST', path: '/export', body: { workspace: BANK, from: '2020-01-01T00:00:00Z', to } });
    return (await verifyExport(join(target, BANK)).catch(() => undefined))?.lines === 1;
  });
  const files = (await readdir(join(target, BANK), { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile() && entry.name.endsWith('.gz'));
  await writeFile(join(String(files[0]?.parentPath), 'added.json.gz'), 'not ours');
  await askControl(dataFolder, { method: 'POST', path: '/export/restore', body: { workspace: PLANT, folder: join(target, BANK) } });
  await eventually('it is refused', async () => (await progress(dataFolder, PLANT, /^restore/))?.state === 'failed');
  assert.match((await progress(dataFolder, PLANT, /^restore/))?.detail ?? '', /export verify/);
});

test('queries are saved in the private storage, sealed, and the workspace without one says so', async (t) => {
  const folder = await temporaryFolder(t);
  const keyFile = join(await temporaryFolder(t), 'customer.key');
  await writeFile(keyFile, `2026-1 ${Buffer.alloc(32, 7).toString('base64')}\n`, { mode: 0o600 });
  const settings = readSettings({ workspaces: { [BANK]: { privateStorage: { folder, key: { kind: 'file', path: keyFile } } } } });
  const { dataFolder } = await startRig(t, { settings });
  const path = (id: WorkspaceId): string => `/v1/workspaces/${id}/savedQueries/errors`;
  await askControl(dataFolder, { method: 'PUT', path: path(BANK), body: { query: 'Syslog | where SeverityLevel == "err"', description: 'what hurts' } });
  const found = (await askControl(dataFolder, { method: 'GET', path: path(BANK) })) as { query: string };
  assert.equal(found.query, 'Syslog | where SeverityLevel == "err"');
  await assert.rejects(askControl(dataFolder, { method: 'GET', path: path(PLANT) }), /has no private storage/);
});
