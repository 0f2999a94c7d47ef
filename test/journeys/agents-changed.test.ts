import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentDetails, ListedAgent } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { TELEMETRY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, createBody, type Machine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { readArrived } from '../support/oracle.ts';
import { BANK, PLANT, startSite } from '../support/site.ts';

function upload(machine: Machine, number: number): Promise<Answer> {
  const { body } = createBody(machine.agentId, number);
  return machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body);
}

test('an operator moves, suspends and removes an agent of a running relay: each holds from its next request on', async () => {
  await using site = await startSite({ workspaces: [BANK, PLANT] });
  const [machine] = await site.machines(1, BANK);
  assert.ok(machine);
  const { socket } = site.relay;
  const show = (): Promise<AgentDetails> => ask(socket, 'GET', `/agents/${machine.agentId}`);

  const first = await upload(machine, 1);
  assert.equal(first.status, 200, first.text);
  await ask(socket, 'POST', `/agents/${machine.agentId}/move`, { workspaceId: PLANT });
  const second = await upload(machine, 2);
  assert.deepEqual([second.status, second.localPort], [200, first.localPort]);
  for (const id of [BANK, PLANT])
    await eventually(`one batch arrives in ${id}`, () => (readArrived(site.upstream(id).dataFolder, id).length === 1 ? true : undefined));
  const { agent } = await show();
  assert.deepEqual([agent.workspaceId, agent.movedFrom, agent.receivedBatches, agent.groups], [PLANT, BANK, 2, []]);

  await ask(socket, 'POST', `/agents/${machine.agentId}/suspend`, { reason: 'stolen' });
  const refused = await machine.post(TELEMETRY_PATH, {}, Buffer.from('{}')).catch(() => machine.post(TELEMETRY_PATH, {}, Buffer.from('{}')));
  assert.equal(refused.status, 403);
  assert.match(refused.text, /suspended: stolen/);
  assert.notEqual(refused.localPort, first.localPort, 'its idle connection was ended');

  await ask(socket, 'DELETE', `/agents/${machine.agentId}`);
  const unknown = await upload(machine, 3).catch(() => upload(machine, 3));
  assert.equal(unknown.status, 403);
  assert.match(unknown.text, /unknown-certificate/);
  assert.deepEqual(await ask<ListedAgent[]>(socket, 'GET', '/agents'), []);
  await site.relay.end('SIGTERM');
  await site.relay.start();
  assert.deepEqual(await ask<ListedAgent[]>(socket, 'GET', '/agents'), []);
  const { cache } = await site.relay.status();
  assert.equal(cache.workspaces.length, 2);
});
