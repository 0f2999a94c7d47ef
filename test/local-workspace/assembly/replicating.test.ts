import assert from 'node:assert/strict';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { askControl } from '../../../src/local-workspace/control/control-client.ts';
import { workspaceFolder } from '../../../src/local-workspace/intake/database.ts';
import type { Listening } from '../../../src/local-workspace/local-workspace.ts';
import type { ShownReplica } from '../../../src/local-workspace/replica/requests.ts';
import { readSettings } from '../../../src/local-workspace/settings.ts';
import { eventually } from '../../support/eventually.ts';
import { BANK, createAgent, onboard, onboardedAgent, PLANT, post, syslog, type TestAgent, temporaryFolder } from '../rig.ts';
import { backUpKeys, command, fastClock, messagesIn, rowsOf, settingsFor, start, startProcess, takeOverFrom, twoDisks } from './replicating-rig.ts';

async function send(listening: Listening, agent: TestAgent, ...messages: string[]): Promise<number> {
  return (await post(listening, agent.identity, syslog(messages))).status;
}

async function status(dataFolder: string): Promise<ShownReplica | undefined> {
  return ((await askControl(dataFolder, { method: 'GET', path: `/replica?workspace=${BANK}` })) as ShownReplica[])[0];
}

async function inStep(dataFolder: string): Promise<void> {
  await eventually('the replica has everything', async () => (await status(dataFolder))?.status === 'in-step');
}

/** Sends messages one after another until the connection breaks; those that were acknowledged. */
async function sendUntilItEnds(listening: Listening, agent: TestAgent, name: string, acknowledged: Set<string>): Promise<void> {
  for (let number = 0; ; number += 1) {
    const message = `${name}-${number}`;
    const answer = await send(listening, agent, message).catch(() => undefined);
    if (answer === undefined) return;
    if (answer === 200) acknowledged.add(message);
  }
}

test('sync: killed at any moment and its disk destroyed, every acknowledged row is there once, again and again', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const acknowledged = new Set<string>();
  let current = dataFolder;
  let agent: TestAgent | undefined;
  let keys = '';
  for (const round of ['one', 'two']) {
    const { listening, kill } = await startProcess(t, current, settings());
    agent ??= await onboardedAgent(listening, BANK);
    const known = agent;
    const sending = ['a', 'b', 'c'].map((name) => sendUntilItEnds(listening, known, `${round}-${name}`, acknowledged));
    const enough = acknowledged.size + 200;
    await eventually('many are acknowledged', () => acknowledged.size > enough);
    await kill();
    await Promise.all(sending);
    keys ||= await backUpKeys(t, current);
    current = await takeOverFrom(t, second, keys, current);
  }
  const { listening } = await start(t, current, settings());
  const found = await messagesIn(current);
  assert.equal(new Set(found).size, found.length, 'a row is there twice');
  assert.deepEqual(
    [...acknowledged].filter((message) => !found.includes(message)),
    [],
  );
  assert.equal(await send(listening, agent as TestAgent, 'the agent is known'), 200);
  const [count] = (await askControl(current, { method: 'GET', path: `/count?workspace=${BANK}` })) as { batches: number; repeated: number }[];
  assert.deepEqual([count?.batches, count?.repeated], [found.length + 1, 0]);
});

test('async: what was copied is a workspace with the same key, agents, retention and lock', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const { local, listening } = await start(t, dataFolder, settings({ mode: 'async' }));
  const agent = await onboardedAgent(listening, BANK);
  for (const message of ['first', 'second', 'naïve ☃']) assert.equal(await send(listening, agent, message), 200);
  const at = (path: string): string => `/workspaces/${BANK}${path}`;
  await askControl(dataFolder, { method: 'PUT', path: at('/tables/Syslog'), body: { properties: { retentionInDays: 180 } } });
  await askControl(dataFolder, { method: 'POST', path: at('/lock'), body: { reason: 'inspection' } });
  const retention = await askControl(dataFolder, { method: 'GET', path: at('/tables/Syslog') });
  const before = await rowsOf(dataFolder, 'Syslog | sort by SyslogMessage asc');
  assert.equal(before.length, 3);
  const key = await readFile(join(workspaceFolder(dataFolder, BANK), 'data-key.json'), 'utf8');
  await local.stop();

  const to = await takeOverFrom(t, second, await backUpKeys(t, dataFolder), dataFolder);
  const taken = await start(t, to, settings({ mode: 'async' }));
  assert.deepEqual(await rowsOf(to, 'Syslog | sort by SyslogMessage asc'), before);
  assert.deepEqual(await askControl(to, { method: 'GET', path: at('/tables/Syslog') }), retention);
  await assert.rejects(askControl(to, { method: 'DELETE', path: at('/tables/Syslog?confirm=Syslog') }), /lock/);
  assert.equal(await readFile(join(workspaceFolder(to, BANK), 'data-key.json'), 'utf8'), key);
  assert.equal(await send(taken.listening, agent, 'fourth'), 200);
  assert.equal((await messagesIn(to)).length, 4);
  await inStep(to);
});

test('without the service keys, which the second disk has not, what was taken over stays closed', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const { local, listening } = await start(t, dataFolder, settings());
  assert.equal(await send(listening, await onboardedAgent(listening, BANK), 'first'), 200);
  await local.stop();
  const to = await takeOverFrom(t, second, await temporaryFolder(t), dataFolder);
  const { listening: again } = await start(t, to, settings());
  await assert.rejects(messagesIn(to), /key/);
  assert.ok(again.port > 0);
});

/** A replica whose disk goes away while it runs. */
async function losingItsDisk(t: TestContext, whenAway: 'refuse' | 'go-on') {
  const { dataFolder, second, settings } = await twoDisks(t);
  const { listening } = await start(t, dataFolder, settings({ whenAway }), fastClock);
  const agent = await onboardedAgent(listening, BANK);
  assert.equal(await send(listening, agent, 'before'), 200);
  await inStep(dataFolder);
  await rename(second, `${second}-away`);
  t.after(() => rm(`${second}-away`, { recursive: true, force: true }));
  const incidents = async (): Promise<{ kind: string; state: string }[]> => {
    const all = (await askControl(dataFolder, { method: 'GET', path: '/incidents' })) as { kind: string; state: string }[];
    return all.filter(({ kind }) => kind === 'replica-behind');
  };
  return { dataFolder, listening, agent, incidents, mount: () => rename(`${second}-away`, second) };
}

test('sync, refuse: while the second disk is away an upload is refused in words, and people are told until it is back', async (t) => {
  const { dataFolder, listening, agent, incidents, mount } = await losingItsDisk(t, 'refuse');
  const refused = await post(listening, agent.identity, syslog(['refused']));
  assert.equal(refused.status, 503);
  assert.match(refused.text, /second copy cannot be written\. Send it again later/);
  const newcomer = await createAgent(BANK);
  assert.equal((await onboard(listening, newcomer)).status, 503, 'nor is an agent told that it is registered');
  await eventually('people are told', async () => (await incidents())[0]?.state === 'detected');
  await mount();
  await eventually('the agent is registered', async () => (await onboard(listening, newcomer)).status === 200);
  await eventually('it is taken again', async () => (await send(listening, agent, 'after')) === 200);
  await eventually('people are told that it is over', async () => (await incidents())[0]?.state === 'contained');
  assert.deepEqual(await messagesIn(dataFolder), ['after', 'before']);
  assert.match(await command(['verify', '--data', dataFolder, '--workspace', BANK]), /all as they ought to be/);
});

test('sync, go-on: while the second disk is away uploads are kept with one copy, people are told, and the rest is copied', async (t) => {
  const { dataFolder, listening, agent, incidents, mount } = await losingItsDisk(t, 'go-on');
  assert.equal(await send(listening, agent, 'with one copy'), 200);
  await eventually('people are told', async () => (await incidents())[0]?.state === 'detected');
  assert.equal((await status(dataFolder))?.status, 'away');
  await mount();
  await inStep(dataFolder);
  assert.match(await command(['verify', '--data', dataFolder, '--workspace', BANK]), /all as they ought to be/);
});

test('a damaged file of the replica is found, copied anew, and never taken over', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const { local, listening } = await start(t, dataFolder, settings());
  await send(listening, await onboardedAgent(listening, BANK), 'first');
  await messagesIn(dataFolder);
  await local.stop();
  const again = await start(t, dataFolder, settings());
  await inStep(dataFolder);
  const [name = ''] = await readdir(join(second, 'segments'));
  const damage = async (): Promise<void> => {
    const bytes = await readFile(join(second, 'segments', name));
    bytes[100] = ~Number(bytes[100]);
    await writeFile(join(second, 'segments', name), bytes);
  };
  const verify = ['verify', '--data', dataFolder, '--workspace', BANK];
  await damage();
  await assert.rejects(command(verify), /not what it ought to be: 1 faults/);
  assert.match(await command([...verify, '--repair']), /differs +segments/);
  assert.match(await command(verify), /all as they ought to be/);
  await again.local.stop();
  await damage();
  const to = join(await temporaryFolder(t), 'data');
  await assert.rejects(command(['take-over', second, '--workspace', BANK, '--to', to, '--force']), /not whole/);
});

test('the old data folder does not start any more once another took over', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const { local } = await start(t, dataFolder, settings());
  await local.stop();
  await takeOverFrom(t, second, await backUpKeys(t, dataFolder));
  for (const own of [settings(), readSettings({})]) {
    await assert.rejects(start(t, dataFolder, own), { code: 'relay.local-workspace.superseded', message: /another one took over with epoch 2/ });
  }
});

test('segments in a hot folder are copied like all others, and are on the main disk after a take-over', async (t) => {
  const { dataFolder, second, settings } = await twoDisks(t);
  const hotFolder = await temporaryFolder(t);
  const { local, listening } = await start(t, dataFolder, settings({}, { hotFolder }));
  await send(listening, await onboardedAgent(listening, BANK), 'hot');
  assert.deepEqual(await messagesIn(dataFolder), ['hot']);
  await local.stop();
  const hot = await readdir(join(hotFolder, BANK));
  assert.ok(hot.length > 0);
  await rm(hotFolder, { recursive: true });
  const to = await takeOverFrom(t, second, await backUpKeys(t, dataFolder), dataFolder);
  await start(t, to, settingsFor(second));
  assert.deepEqual(await messagesIn(to), ['hot']);
  const all = await readdir(join(workspaceFolder(to, BANK), 'segments'));
  assert.ok(hot.every((name) => all.includes(name)));
});

test('a workspace whose settings name a replica that was never linked does not start, and one without has none to verify', async (t) => {
  const dataFolder = await temporaryFolder(t);
  await assert.rejects(start(t, dataFolder, settingsFor(await temporaryFolder(t))), {
    code: 'relay.local-workspace.replica-not-linked',
    message: /replica link/,
  });
  const { dataFolder: other, settings } = await twoDisks(t);
  await start(t, other, settings());
  await assert.rejects(command(['verify', '--data', other, '--workspace', PLANT]), /has no replica/);
  assert.match(await command(['status', '--data', other]), /second/);
});
