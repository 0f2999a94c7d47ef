import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AGENT_ID_HEADER, OWN_QUEUE_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { openTestRouting } from '../routing/rig.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { codeIn, createIntakeRig, enrolAgent, send } from './rig.ts';

const PATH = '/OperationalData.svc/PostJsonDataItems';
const PERF = '{"DataType":"LINUX_PERF_BLOB","IPName":"LogManagement","DataItems":[{}]}';
const HEARTBEAT = '{"DataType":"HEALTH_ASSESSMENT_BLOB","IPName":"LogManagement","DataItems":[{}]}';
const COUNTED = 'relay_direct_at_relay_batches_total{workspace="11111111-1111-4111-8111-111111111111",solution="Performance counters"}';

const SENDERS = {
  'an OMS agent': {},
  'a relay': { [OWN_QUEUE_HEADER]: 'true', [AGENT_ID_HEADER]: 'aaaaaaaa-0000-4000-8000-000000000009' },
  'an agent of ours': { [OWN_QUEUE_HEADER]: 'true' },
} as const;

describe('data marked direct that comes to the relay', () => {
  it('is relayed and counted', async () => {
    await using folder = await temporaryFolder();
    await using rig = await createIntakeRig({ direct: { ...(await openTestRouting(folder.path)), isRefused: false } });
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    for (const [sender, headers] of Object.entries(SENDERS)) {
      assert.equal((await send(port, agent.identity, { path: PATH, headers, body: PERF })).status, 200, sender);
      assert.equal((await send(port, agent.identity, { path: PATH, headers, body: HEARTBEAT })).status, 200, sender);
    }
    assert.equal(rig.kept.length, 6);
    assert.equal(await rig.figure(COUNTED), 3);
    assert.ok(rig.kept.every((batch) => !('canGoDirect' in batch)));
  });

  it('is refused where the operator wants it, but only to those who keep it and know another way', async () => {
    await using folder = await temporaryFolder();
    await using rig = await createIntakeRig({ direct: { ...(await openTestRouting(folder.path)), isRefused: true } });
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    const statuses = new Map<string, unknown[]>();
    for (const [sender, headers] of Object.entries(SENDERS)) {
      const perf = await send(port, agent.identity, { path: PATH, headers, body: PERF });
      const heartbeat = await send(port, agent.identity, { path: PATH, headers, body: HEARTBEAT });
      statuses.set(sender, [perf.status, heartbeat.status, perf.status === 200 ? '' : codeIn(perf.text)]);
    }
    assert.deepEqual(Object.fromEntries(statuses), {
      'an OMS agent': [200, 200, ''],
      'a relay': [200, 200, ''],
      'an agent of ours': [421, 200, 'relay.intake.direct-only'],
    });
    assert.equal(await rig.figure(COUNTED), 2);
  });
});
