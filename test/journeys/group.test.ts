import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from '../../src/control/client.ts';
import type { EnrolmentKey } from '../../src/management-group/enrolment-keys.ts';
import { type SendingAgent, startSending, untilAllSend } from '../group/machines.ts';
import { type GroupRelay, startTwoRelays, type TwoRelays } from '../group/two-relays.ts';
import { eventually } from '../support/eventually.ts';
import { readArrived } from '../support/oracle.ts';
import { runCommand } from '../support/run-relay.ts';
import { BANK } from '../support/site.ts';

const WITHIN_MS = 60_000;

/** Acknowledged, and not in the workspace. */
function owed({ upstream }: TwoRelays, agents: readonly SendingAgent[]): number {
  const there = new Set(readArrived(upstream.dataFolder, BANK).map(({ batchId }) => batchId));
  return agents.flatMap((agent) => [...agent.acknowledged()]).filter((id) => !there.has(id)).length;
}

for (const which of ['primary', 'member'] as const) {
  test(`the ${which} of a group is killed under load: its agents go on with the other relay within a minute, and nothing that it acknowledged is lost`, async (t) => {
    // While a workspace is held, agents of ours keep their data: that is another promise.
    await using site = await startTwoRelays({ retry: { every: '500ms', window: '10m' } });
    await using parts = new AsyncDisposableStack();
    const { one, two, upstream } = site;
    const [killed, other] = which === 'primary' ? [one, two] : [two, one];
    const key = await one.createKey(BANK, 'machines');
    await eventually('the key is known on both', async () => (await ask<EnrolmentKey[]>(two.socket, 'GET', '/enrolment-keys')).length === 1);
    const enrol = async (name: string, at: GroupRelay): Promise<SendingAgent> => parts.use(await startSending(site, name, at, key));
    const own = [await enrol('web01', killed), await enrol('web02', killed)];
    const others = [await enrol('db01', other)];
    const stolen = await enrol('stolen', killed);
    await untilAllSend([...own, ...others, stolen], 5);
    await one.command('agents', 'suspend', stolen.agentId, '--reason', 'stolen');
    await eventually('the suspension is known on the other relay', async () =>
      (await other.agents()).some(({ agentId, state }) => agentId === stolen.agentId && state === 'suspended'),
    );

    // What is acknowledged from now on waits in the cache of the relay that will be killed.
    await upstream.local.setFault({ mode: 'down' });
    await untilAllSend([...own, ...others], 5);
    await killed.end('SIGKILL');
    const from = performance.now();
    const before = own.map((agent) => agent.acknowledged().size);
    await eventually('its agents send again', () => own.every((agent, at) => agent.acknowledged().size > (before[at] ?? 0) + 2), WITHIN_MS);
    t.diagnostic(`its agents went on with the other relay after ${Math.round(performance.now() - from)} ms`);
    await stolen.restart();
    await eventually('the suspended agent is refused there too', () => other.log().includes(`Agent ${stolen.agentId} (stolen) is suspended: stolen`));
    assert.equal(stolen.acknowledged().size, 0);

    await upstream.local.setFault({ mode: 'none' });
    await untilAllSend([...own, ...others], 5);
    await Promise.all([...own, ...others].map((agent) => agent.stop()));
    await eventually('the other relay has delivered all that it has', async () => (await other.status()).cache.usedBytes === 0);
    const waiting = owed(site, [...own, ...others]);
    assert.ok(waiting > 0, 'some of it waits on the relay that was killed');
    await killed.start(90_000);
    await eventually('all that was acknowledged has arrived', () => owed(site, [...own, ...others]) === 0);
    t.diagnostic(
      `${[...own, ...others].reduce((sum, agent) => sum + agent.acknowledged().size, 0)} acknowledged, ${waiting} of them came once the killed relay was back`,
    );
  });
}

test('a member refuses what only the primary decides, hands on enrolments, and takes over a primary that is lost; that one is fenced when it comes back', async () => {
  await using site = await startTwoRelays();
  await using parts = new AsyncDisposableStack();
  const { one, two } = site;
  const key = await one.createKey(BANK, 'machines');
  await eventually('the key is known on both', async () => (await ask<EnrolmentKey[]>(two.socket, 'GET', '/enrolment-keys')).length === 1);
  const first = parts.use(await startSending(site, 'first', two, key));
  assert.deepEqual(
    (await Promise.all([one, two].map((relay) => relay.agents()))).map((agents) => agents.map(({ agentId }) => agentId)),
    [[first.agentId], [first.agentId]],
    'enrolled through the member, known on both',
  );

  const refused = await runCommand(['agents', 'suspend', first.agentId, '--config', two.configFile]);
  assert.equal(refused.code, 1);
  assert.ok(refused.err.includes(one.address), refused.err);
  assert.equal((await two.agents())[0]?.state, 'approved');

  await one.end('SIGKILL');
  const careful = await runCommand(['group', 'promote', '--config', two.configFile]);
  assert.equal(careful.code, 1);
  assert.match(careful.err, /does not answer.*--primary-lost/s);
  assert.match((await startSending(site, 'early', two, key).catch(String)) as string, /primary relay of the group, which does not answer/);
  await two.command('group', 'promote', '--primary-lost');
  const second = parts.use(await startSending(site, 'second', two, key));
  await eventually('it sends', () => second.acknowledged().size > 2);

  await one.start(90_000);
  await eventually('the one before is a member', async () => (await one.group()).role === 'member');
  await eventually('it knows what was decided meanwhile', async () => (await one.agents()).length === 2);
  const fenced = await runCommand(['agents', 'suspend', second.agentId, '--config', one.configFile]);
  assert.equal(fenced.code, 1);
  assert.ok(fenced.err.includes(two.address), fenced.err);
  assert.ok(existsSync(join(one.dataFolder, 'group', 'displaced-before-term-2.sqlite')), 'what only it knew is kept aside');

  await one.command('group', 'promote');
  assert.deepEqual([(await one.group()).role, (await one.group()).term], ['primary', 3]);
  await eventually('the other has handed over', async () => (await two.group()).role === 'member');
  await one.command('group', 'remove', 'two');
  await eventually('the one that was removed is refused', async () => (await two.group()).copy?.trouble?.includes('none of a relay of the group'));
});
