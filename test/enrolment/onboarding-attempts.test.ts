import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import { type Answered, BANK, createIntakeRig, type IntakeRig, send } from '../intake/rig.ts';

const NOBODYS = parseWorkspaceId('99999999-9999-4999-8999-999999999999');

/** Onboards a new machine over a connection of its own. */
async function onboard(rig: IntakeRig, port: number, workspaceId: WorkspaceId, key: Buffer): Promise<Answered> {
  const agentId = parseAgentId(randomUUID());
  const identity = await createAgentIdentity(workspaceId, agentId, rig.clock.now(), 90);
  const body = Buffer.from(writeTopologyRequest({ hostName: 'web01', agentId, certificate: fromPem(identity.certificate), operatingSystem: 'Debian 12' }));
  const headers = onboardingHeaders(workspaceId, key, body, new Date(rig.clock.now()).toISOString());
  return await send(port, identity, { path: TOPOLOGY_PATH, headers, body });
}

describe('onboarding with a wrong key', () => {
  it('looks the same as with a workspace that the relay does not serve', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    rig.group.enrolmentKeys.create({ name: 'own', workspaceId: BANK });
    const wrongKey = await onboard(rig, port, BANK, randomBytes(64));
    const unknown = await onboard(rig, port, NOBODYS, randomBytes(64));
    assert.deepEqual([wrongKey.status, wrongKey.text], [unknown.status, unknown.text]);
    assert.equal(wrongKey.status, 403);
    assert.deepEqual(
      rig.entries.map(({ action, result, actor }) => [action, result, actor.name]),
      [
        ['sign-in.fail', 'refused', 'unknown'],
        ['sign-in.fail', 'refused', 'unknown'],
      ],
    );
  });

  it('is answered with 429 after ten in a minute, with the right key too, until the minute is over', async () => {
    await using rig = await createIntakeRig();
    const port = await rig.intake.start();
    const key = Buffer.from(rig.group.enrolmentKeys.create({ name: 'own', workspaceId: BANK }).secret, 'base64');
    for (let attempt = 0; attempt < 10; attempt++) assert.equal((await onboard(rig, port, BANK, randomBytes(64))).status, 403);
    const refused = await onboard(rig, port, BANK, key);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.match(refused.text, /TooManyAttempts/);
    assert.equal(rig.entries.length, 10, 'what is not read is not entered one by one');
    rig.clock.advance(60_000);
    assert.equal((await onboard(rig, port, BANK, key)).status, 200);
  });
});
