import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OWN_QUEUE_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { codeIn, createIntakeRig, enrolAgent, send } from './rig.ts';

const PATH = '/OperationalData.svc/PostJsonDataItems';
const BODY = '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{}]}';
const OWN_QUEUE = { [OWN_QUEUE_HEADER]: 'true' };

describe('intake while a workspace is held', () => {
  it('asks a sender with a queue of its own to come back, each at a time of its own', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    rig.hold(true);
    const waits = new Set<number>();
    for (let round = 0; round < 8; round += 1) {
      const answer = await send(port, agent.identity, { path: PATH, headers: OWN_QUEUE, body: BODY });
      assert.deepEqual([answer.status, codeIn(answer.text)], [503, 'relay.cache.held']);
      const waitS = Number(answer.headers['retry-after']);
      assert.ok(waitS >= 480 && waitS <= 960, `Retry-After: ${waitS}`);
      waits.add(waitS);
    }
    assert.ok(waits.size > 3, [...waits].join(' '));
    assert.deepEqual(rig.kept, []);
    assert.equal(await rig.figure('relay_intake_refused_total{reason="relay.cache.held"}'), 8);
  });

  it('still takes from senders that would lose what is refused, and from all of them afterwards', async () => {
    await using rig = await createIntakeRig();
    const agent = await enrolAgent(rig);
    const port = await rig.intake.start();
    rig.hold(true);
    assert.equal((await send(port, agent.identity, { path: PATH, body: BODY })).status, 200);
    rig.hold(false);
    assert.equal((await send(port, agent.identity, { path: PATH, headers: OWN_QUEUE, body: BODY })).status, 200);
    assert.equal(rig.kept.length, 2);
    assert.ok(rig.kept.every((batch) => !('hasOwnQueue' in batch)));
  });
});
