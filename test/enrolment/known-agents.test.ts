import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAgentIdentity, type Identity } from '../../src/authority/agent-identity.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { type AgentId, parseAgentId } from '../../src/workspace/workspace-id.ts';
import { type Answered, BANK, createIntakeRig, type IntakeRig, send } from '../intake/rig.ts';

const DAY_MS = 86_400_000;

interface Site {
  readonly rig: IntakeRig;
  readonly key: Buffer;
  readonly port: number;
}

async function siteOf(rig: IntakeRig): Promise<Site> {
  const port = await rig.intake.start();
  return { rig, port, key: Buffer.from(rig.group.enrolmentKeys.create({ name: 'own', workspaceId: BANK }).secret, 'base64') };
}

async function onboard({ rig, port, key }: Site, agentId: AgentId, identity: Identity): Promise<Answered> {
  const body = Buffer.from(writeTopologyRequest({ hostName: 'web01', agentId, certificate: fromPem(identity.certificate), operatingSystem: 'Debian 12' }));
  return await send(port, identity, { path: TOPOLOGY_PATH, headers: onboardingHeaders(BANK, key, body, new Date(rig.clock.now()).toISOString()), body });
}

describe('a machine that onboards under the id of a known agent', () => {
  it('is refused while that agent has another certificate that is valid: an enrolment key is no reason to take its place', async () => {
    await using rig = await createIntakeRig();
    const site = await siteOf(rig);
    const agentId = parseAgentId(randomUUID());
    const own = await createAgentIdentity(BANK, agentId, rig.clock.now(), 90);
    assert.equal((await onboard(site, agentId, own)).status, 200);
    const refused = await onboard(site, agentId, await createAgentIdentity(BANK, agentId, rig.clock.now(), 90));
    assert.equal(refused.status, 403);
    assert.match(refused.text, /AgentKnown/);
    assert.match(refused.text, /relay agents remove/);
    assert.deepEqual(
      rig.group.registry.certificatesOf({ workspaceId: BANK, agentId }).map(({ fingerprint }) => fingerprint),
      [fingerprintOf(fromPem(own.certificate))],
    );
  });

  it('is that agent when it brings a certificate of its own', async () => {
    await using rig = await createIntakeRig();
    const site = await siteOf(rig);
    const agentId = parseAgentId(randomUUID());
    const own = await createAgentIdentity(BANK, agentId, rig.clock.now(), 90);
    await onboard(site, agentId, own);
    assert.equal((await onboard(site, agentId, own)).status, 200);
  });

  it('is let in again once the certificate of that agent is over', async () => {
    await using rig = await createIntakeRig();
    const site = await siteOf(rig);
    const agentId = parseAgentId(randomUUID());
    await onboard(site, agentId, await createAgentIdentity(BANK, agentId, rig.clock.now(), 90));
    rig.clock.advance(91 * DAY_MS);
    assert.equal((await onboard(site, agentId, await createAgentIdentity(BANK, agentId, rig.clock.now(), 90))).status, 200);
  });

  it('is let in where the operator chose so', async () => {
    await using rig = await createIntakeRig({ enrolment: { knownAgents: 'replace' } });
    const site = await siteOf(rig);
    const agentId = parseAgentId(randomUUID());
    await onboard(site, agentId, await createAgentIdentity(BANK, agentId, rig.clock.now(), 90));
    assert.equal((await onboard(site, agentId, await createAgentIdentity(BANK, agentId, rig.clock.now(), 90))).status, 200);
  });
});
