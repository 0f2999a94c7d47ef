import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fromPem } from '../../src/authority/x509.ts';
import { askControl } from '../../src/local-workspace/control/control-client.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { BANK, createAgent, onboardedAgent, outcomeOf, PLANT, post, startRig, syslog, type TestAgent, temporaryFolder } from './rig.ts';

const COMMAND = join(import.meta.dirname, 'run-command.ts');

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(t: TestContext, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [COMMAND, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function run(t: TestContext, args: readonly string[]): Promise<Ran> {
  const child = start(t, args);
  let out = '';
  let err = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
    out += piece;
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    err += piece;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

function linesOf(child: ChildProcess): Interface {
  assert.ok(child.stdout);
  return createInterface(child.stdout);
}

test('start makes a key file for each workspace, runs until SIGTERM, and is told to fail by another command', async (t) => {
  const dataFolder = await temporaryFolder(t);
  const child = start(t, ['start', '--data', dataFolder, '--port', '0', '--workspace', BANK, '--workspace', PLANT, '--json']);
  const [line] = (await once(linesOf(child), 'line')) as [string];
  const started = JSON.parse(line) as { url: string; port: number; root: string; keyFiles: Record<string, string> };
  assert.deepEqual(Object.keys(started.keyFiles), [BANK, PLANT]);
  const keyFile = String(started.keyFiles[BANK]);
  assert.equal((await stat(keyFile)).mode & 0o777, 0o600);
  assert.equal((await stat(join(dataFolder, 'control.sock'))).mode & 0o777, 0o600);

  const listening = { port: started.port, rootPem: await readFile(started.root, 'utf8') };
  const agent = await createAgent(BANK);
  assert.equal((await post(listening, agent.identity, onboardingWith(agent, await readFile(keyFile, 'utf8')))).status, 200);
  const told = await run(t, ['fault', 'too-many-requests', '--data', dataFolder, '--retry-after-s', '9', '--workspace', BANK, '--json']);
  assert.deepEqual(JSON.parse(told.out), { mode: 'too-many-requests', retryAfterS: 9, workspace: BANK });
  assert.equal(await outcomeOf(post(listening, agent.identity, syslog(['x']))), 429);

  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

function onboardingWith(agent: TestAgent, key: string): { path: string; body: Buffer; headers: Record<string, string> } {
  const certificate = fromPem(agent.identity.certificate);
  const body = Buffer.from(writeTopologyRequest({ hostName: 'web01', agentId: agent.agentId, certificate, operatingSystem: 'Debian 12' }));
  return { path: TOPOLOGY_PATH, body, headers: onboardingHeaders(agent.workspaceId, Buffer.from(key, 'base64'), body, new Date().toISOString()) };
}

test('count reads the files of a local workspace, running or not; records and tail ask the one that runs, and say how to start it', async (t) => {
  const { dataFolder, listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  const upload = syslog(['one', 'two', 'three']);
  await post(listening, agent.identity, upload);
  const records = ['records', '--data', dataFolder, '--workspace', BANK];
  const filter = ['--where', 't', '--limit', '1', '--since', '2020-01-01T00:00:00Z', '--json'];
  const found = JSON.parse((await run(t, [...records, ...filter])).out) as { data: { Message: string } }[];
  assert.deepEqual(
    found.map(({ data }) => data.Message),
    ['three'],
  );
  const table = await run(t, [...records, '--data-type', 'linux_syslogs_blob']);
  assert.match(table.out, /^RECEIVED +AGENT +WAY +DATA TYPE +DATA\n.*"one".*\n.*"two".*\n.*"three"/);
  assert.equal(table.err, '');

  for (const stopped of [false, true]) {
    if (stopped) await local.stop();
    const count = await run(t, ['count', '--data', dataFolder, '--json']);
    const expected = {
      workspaceId: BANK,
      dataType: 'LINUX_SYSLOGS_BLOB',
      batches: 1,
      direct: 1,
      distinctBatches: 1,
      repeated: 0,
      records: 3,
      bytes: upload.body.length,
    };
    assert.deepEqual(JSON.parse(count.out), [expected]);
  }
  for (const args of [records, ['tail', '--data', dataFolder, '--workspace', BANK]]) {
    const { code, out, err } = await run(t, args);
    assert.deepEqual([code, out], [1, '']);
    assert.match(err, /No local workspace runs on .* Start one with: relay local-workspace start --data /);
  }
});

test('tail shows records as they come, until it is interrupted', async (t) => {
  const { dataFolder, listening } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['before']));
  const child = start(t, ['tail', '--data', dataFolder, '--workspace', BANK, '--json']);
  const lines = linesOf(child)[Symbol.asyncIterator]();
  const next = async (): Promise<string> => (JSON.parse((await lines.next()).value as string) as { data: { Message: string } }).data.Message;
  assert.equal(await next(), 'before');
  await post(listening, agent.identity, syslog(['after']));
  assert.equal(await next(), 'after');
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

test('the control socket tells the same as the files, refuses what it does not know, and is missed when nobody listens', async (t) => {
  const { dataFolder, listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['one'], { 'x-relay-batch-id': 'b-1' }));
  const ask = (path: string): Promise<unknown> => askControl(dataFolder, { method: 'GET', path });
  assert.deepEqual(await ask('/count'), JSON.parse(JSON.stringify(local.count())));
  assert.deepEqual(await ask(`/count?workspace=${PLANT}`), []);
  assert.deepEqual(await ask(`/batch-ids?workspace=${BANK}`), ['b-1']);
  assert.deepEqual(await ask(`/query?workspace=${BANK}&limit=5`), await local.query(BANK, { limit: 5 }));
  assert.deepEqual(await ask('/fault'), { mode: 'none' });
  await assert.rejects(ask('/count?workspace=33333333-3333-4333-8333-333333333333'), { code: 'relay.local-workspace.unknown-workspace' });
  await assert.rejects(ask(`/query?workspace=${BANK}&limit=0`), { code: 'relay.local-workspace.bad-query' });
  await assert.rejects(askControl(dataFolder, { method: 'POST', path: '/fault', body: { mode: 'odd' } }), { code: 'relay.local-workspace.bad-fault' });
  await local.stop();
  await assert.rejects(ask('/fault'), { code: 'relay.control.not-running' });
});

test('count --duplicates tells what came more than once, by id and by content, and does not ask the running process', async (t) => {
  const { dataFolder, listening } = await startRig(t);
  const [one, other] = [await onboardedAgent(listening, BANK), await onboardedAgent(listening, BANK)];
  for (const id of ['b-1', 'b-1', 'b-2']) await post(listening, one.identity, syslog(['a', 'b'], { 'x-relay-batch-id': id }));
  await post(listening, one.identity, syslog(['b', 'c'], { 'x-relay-batch-id': 'b-3' }));
  await post(listening, other.identity, syslog(['a', 'b'], { 'x-relay-batch-id': 'b-4' }));
  const { out } = await run(t, ['count', '--duplicates', '--data', dataFolder, '--json']);
  const expected = { workspaceId: BANK, dataType: 'LINUX_SYSLOGS_BLOB', batches: 5, sameId: 1, sameContent: 2, records: 10 };
  assert.deepEqual(JSON.parse(out), [expected]);
  assert.match((await run(t, ['count', '--duplicates', '--data', dataFolder])).out, /SAME ID +SAME CONTENT/);
  assert.notEqual((await run(t, ['count', '--duplicates', '--live', '--data', dataFolder])).code, 0);
});
