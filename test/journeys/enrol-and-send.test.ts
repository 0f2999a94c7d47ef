import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Agent } from '../../src/management-group/agent.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, UPLOAD_HEADERS } from '../support/fleet.ts';
import { runCommand, runWell, startCommand } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

const CAREFUL = { managementGroup: { approve: 'none' } };

async function agentsOf({ relay }: Site): Promise<readonly Agent[]> {
  return JSON.parse(await runWell(['agents', 'list', '--config', relay.configFile, '--json'])) as Agent[];
}

test('a machine enrols by command, waits for approval, and its data arrives once it has it', async () => {
  await using site = await startSite({ sections: CAREFUL });
  const { relay, folder } = site;
  const { local } = site.upstream();
  const keyFile = join(folder, 'enrolment.key');
  const data = join(folder, 'agent');
  const address = `https://localhost:${relay.port()}`;
  await runWell(['enrolment-key', 'create', '--config', relay.configFile, '--workspace', BANK, '--name', 'first', '--out', keyFile]);
  await runWell([
    'agent',
    'enrol',
    '--relay',
    address,
    '--workspace',
    BANK,
    '--key-file',
    keyFile,
    '--trust',
    relay.rootFile,
    '--data',
    data,
    '--name',
    'web01',
  ]);
  const [pending] = await agentsOf(site);
  assert.deepEqual([pending?.hostName, pending?.state], ['web01', 'pending']);

  const early = startCommand(['agent', 'run', '--data', data]);
  const refused = await eventually('the agent is told to wait', () => /[^"]*not approved yet[^"]*/.exec(early.out())?.[0]).finally(() => early.end('SIGTERM'));
  assert.match(refused, /relay agents approve/);
  assert.equal(local.count().length, 0);
  const waiting = JSON.parse(await runWell(['agent', 'status', '--data', data, '--json'])) as { waiting: unknown[] };
  assert.ok(waiting.waiting.length > 0, 'the agent keeps its data meanwhile');

  await runWell(['agents', 'approve', 'web01', '--config', relay.configFile]);
  const agent = startCommand(['agent', 'run', '--data', data]);
  await eventually(
    'a heartbeat arrives',
    async () => (await local.query(BANK, { dataType: 'HEALTH_ASSESSMENT_BLOB', where: 'web01', limit: 1 })).length > 0,
  ).finally(() => agent.end('SIGTERM'));
  assert.equal((await agent.ended).code, 0);
});

test('a machine that is suspended loses the connection it has open, and its next request is refused', async () => {
  await using site = await startSite();
  const { relay } = site;
  const [machine] = await site.machines(1);
  assert.ok(machine);
  const upload = (number: number): ReturnType<typeof machine.post> => machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, number).body);
  const before = await upload(1);
  assert.equal(before.status, 200);

  await runWell(['agents', 'suspend', machine.agentId, '--reason', 'stolen', '--config', relay.configFile]);
  const after = await upload(2);
  assert.equal(after.status, 403);
  assert.notEqual(after.localPort, before.localPort, 'it is another connection');
  assert.match(after.text, /suspended: stolen/);

  await runWell(['agents', 'approve', machine.agentId, '--config', relay.configFile]);
  assert.equal((await upload(3)).status, 200);
});

test('an enrolment key that is wrong or revoked lets nobody in, and the command says why', async () => {
  await using site = await startSite();
  const { relay, folder } = site;
  const keyFile = join(folder, 'enrolment.key');
  const enrol = [
    ...['agent', 'enrol', '--relay', `https://localhost:${relay.port()}`, '--workspace', BANK, '--trust', relay.rootFile],
    ...['--data', join(folder, 'agent'), '--key-file'],
  ];
  await runWell(['enrolment-key', 'create', '--config', relay.configFile, '--workspace', BANK, '--name', 'short', '--out', keyFile]);
  const wrong = join(folder, 'wrong.key');
  await writeFile(wrong, Buffer.alloc(64, 7).toString('base64'), { mode: 0o600 });
  const stranger = await runCommand([...enrol, wrong]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.err, /403 InvalidWorkspaceKey/);

  await runWell(['enrolment-key', 'revoke', 'short', '--config', relay.configFile]);
  const late = await runCommand([...enrol, keyFile]);
  assert.equal(late.code, 1);
  assert.match(late.err, /403 InvalidWorkspaceKey/);
  assert.deepEqual(await agentsOf(site), []);
});
