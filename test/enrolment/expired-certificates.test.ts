import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPrivateKeyPem, type Identity } from '../../src/authority/agent-identity.ts';
import { readCertsOnly } from '../../src/authority/certs-only.ts';
import { createSigningRequest } from '../../src/authority/signing-request.ts';
import { toPem } from '../../src/authority/x509.ts';
import { EST_RENEW_PATH } from '../../src/check-in/est-paths.ts';
import type { AgentState } from '../../src/management-group/agent.ts';
import { TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { type Answered, BANK, codeIn, createIntakeRig, type EnrolledAgent, enrolAgent, type IntakeRig, send } from '../intake/rig.ts';

const DAY_MS = 86_400_000;

interface Stage extends AsyncDisposable {
  readonly rig: IntakeRig;
  readonly agent: EnrolledAgent;
  upload(identity: Identity): Promise<Answered>;
  report(): Promise<Answered>;
  renew(): Promise<Answered & { readonly privateKey: string }>;
}

/** An agent whose certificate of 90 days ended `daysAgo`: by the relay's clock and by the machine's, which OpenSSL looks at. */
async function setStage(expiredCertificates: string, daysAgo: number, state: AgentState = 'approved'): Promise<Stage> {
  const days = 90 + daysAgo;
  const rig = await createIntakeRig({ now: Date.now() - days * DAY_MS, enrolment: { expiredCertificates } });
  const agent = await enrolAgent(rig);
  const port = await rig.intake.start();
  rig.clock.advance(days * DAY_MS);
  rig.group.registry.setState(BANK, agent.agentId, state, 'the test says so');
  const body = JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Message: 'hello' }] });
  const { agentId, identity, der: certificate } = agent;
  return {
    rig,
    agent,
    upload: (by) => send(port, by, { path: UPLOAD_PATH, body }),
    report: () =>
      send(port, identity, { path: TOPOLOGY_PATH, body: writeTopologyRequest({ hostName: 'web01', agentId, certificate, operatingSystem: 'Debian 12' }) }),
    async renew() {
      const privateKey = await createPrivateKeyPem();
      const request = createSigningRequest(privateKey, agentId).toString('base64');
      const answer = await send(port, identity, { path: EST_RENEW_PATH, headers: { 'content-type': 'application/pkcs10' }, body: request });
      return { ...answer, privateKey };
    },
    [Symbol.asyncDispose]: () => rig[Symbol.asyncDispose](),
  };
}

describe('an agent whose certificate has ended', () => {
  it('is told what to do, and refused for everything, when the operator allows no renewal', async () => {
    await using stage = await setStage('refuse', 1);
    const upload = await stage.upload(stage.agent.identity);
    assert.deepEqual([upload.status, codeIn(upload.text)], [403, 'relay.agent.certificate-expired']);
    assert.match(upload.text, /ended on \d{4}-.*Renew it, or enrol this machine again/);
    assert.equal((await stage.report()).status, 403);
    assert.equal((await stage.renew()).status, 403);
  });

  it('may renew within the time that the operator allows, and nothing else; with the new one it sends again', async () => {
    await using stage = await setStage('30d', 29);
    assert.equal(codeIn((await stage.upload(stage.agent.identity)).text), 'relay.agent.certificate-expired');
    const report = await stage.report();
    assert.equal(report.status, 200);
    assert.match(report.text, /updateCertificate="true"/);
    const { status, text, privateKey } = await stage.renew();
    assert.equal(status, 200, text);
    const [der] = readCertsOnly(Buffer.from(text, 'base64')) ?? [];
    assert.ok(der);
    assert.equal((await stage.upload({ certificate: toPem(der), privateKey })).status, 200);
    assert.equal(stage.rig.kept.length, 1);
  });

  it('is refused after that time', async () => {
    await using stage = await setStage('30d', 31);
    assert.equal((await stage.report()).status, 403);
    assert.equal(codeIn((await stage.renew()).text), 'relay.agent.certificate-expired');
  });

  it('does not come back by that way when it is suspended', async () => {
    await using stage = await setStage('30d', 1, 'suspended');
    assert.equal((await stage.report()).status, 403);
    assert.equal(codeIn((await stage.renew()).text), 'relay.agent.suspended');
  });
});
