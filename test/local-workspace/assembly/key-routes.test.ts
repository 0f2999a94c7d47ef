import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ShownKey } from '../../../src/local-workspace/assembly/key-routes.ts';
import { askControl } from '../../../src/local-workspace/control/control-client.ts';
import { BANK, onboardedAgent, PLANT, post, startRig, syslog } from '../rig.ts';

test("a workspace's key is shown and rotated without touching data or the other workspace", async (t) => {
  const { dataFolder, listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['before']));
  const key = (id: string): Promise<ShownKey> => askControl(dataFolder, { method: 'GET', path: `/workspaces/${id}/key` }) as Promise<ShownKey>;
  const [bank, plant] = [await key(BANK), await key(PLANT)];
  assert.equal(bank.available, true);
  assert.equal(bank.provider, 'service');
  const rotated = (await askControl(dataFolder, { method: 'POST', path: `/workspaces/${BANK}/key/rotate` })) as ShownKey;
  assert.notEqual(rotated.keyId, bank.keyId);
  assert.equal((await key(PLANT)).keyId, plant.keyId);
  await post(listening, agent.identity, syslog(['after']));
  await local.stop();
  const again = await startRig(t, { dataFolder });
  const records = await again.local.query(BANK, { limit: 10 });
  assert.deepEqual(
    records.map(({ data }) => (data as { Message: string }).Message),
    ['before', 'after'],
  );
  assert.equal((await (askControl(dataFolder, { method: 'GET', path: `/workspaces/${BANK}/key` }) as Promise<ShownKey>)).keyId, rotated.keyId);
});

test('the key of a workspace that is not here is not shown', async (t) => {
  const { dataFolder } = await startRig(t);
  await assert.rejects(askControl(dataFolder, { method: 'GET', path: '/workspaces/33333333-3333-4333-8333-333333333333/key' }));
});
