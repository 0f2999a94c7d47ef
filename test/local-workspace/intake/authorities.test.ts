import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createAgentIdentity } from '../../../src/authority/agent-identity.ts';
import { fromPem } from '../../../src/authority/x509.ts';
import { writeAuthorityStatement } from '../../../src/oms-protocol/authority-statement.ts';
import { AUTHORITIES_PATH, RENEW_PATH } from '../../../src/oms-protocol/paths.ts';
import { writeRenewalRequest } from '../../../src/oms-protocol/topology-request.ts';
import { type AgentId, parseAgentId } from '../../../src/workspace/workspace-id.ts';
import { createRoot, type Root } from '../../support/management-group-root.ts';
import { BANK, onboardedAgent, PLANT, post, type Reply, type Rig, startRig, syslog, type TestAgent } from '../rig.ts';

const DAY_MS = 86_400_000;

const newAgent = (): AgentId => parseAgentId(randomUUID());

function say(rig: Rig, relay: TestAgent, root: Root, agents: readonly AgentId[]): Promise<Reply> {
  return post(rig.listening, relay.identity, { path: AUTHORITIES_PATH, body: writeAuthorityStatement({ roots: [root.pem], agents }) });
}

function reasonIn(reply: Reply): string {
  const code = reply.text.startsWith('{') ? (JSON.parse(reply.text) as { error: { code: string } }).error.code : /<Reason>(.*)<\/Reason>/.exec(reply.text)?.[1];
  return `${reply.status} ${code}`;
}

test('an agent that a registered relay answers for sends without a registration of its own, and its data is marked as direct', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const root = await createRoot();
  const agentId = newAgent();
  const identity = await root.issue(BANK, agentId);
  assert.equal(reasonIn(await post(rig.listening, identity, syslog(['before']))), '403 UnknownCertificate');
  assert.equal((await say(rig, relay, root, [agentId])).status, 200);
  assert.equal((await post(rig.listening, identity, syslog(['direct']))).status, 200);
  assert.equal((await post(rig.listening, relay.identity, syslog(['carried'], { 'x-relay-agent-id': agentId }))).status, 200);
  assert.deepEqual(
    (await rig.local.query(BANK, { limit: 10 })).map((record) => [record.agentId, record.way, (record.data as { Message: string }).Message]),
    [
      [agentId, 'direct', 'direct'],
      [agentId, 'relay', 'carried'],
    ],
  );
  assert.deepEqual(
    rig.local.count(BANK).map(({ batches, direct }) => [batches, direct]),
    [[2, 1]],
  );
});

test('what the relay does not answer for is refused: another root, another workspace, no clients, an agent it does not name', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const [root, stranger] = [await createRoot(), await createRoot()];
  const agentId = newAgent();
  await say(rig, relay, root, [agentId]);
  const cases = [
    ['403 UnknownCertificate', await stranger.issue(BANK, agentId)],
    ['403 UnknownCertificate', await root.issue(PLANT, agentId)],
    ['403 UnknownCertificate', await createAgentIdentity(BANK, agentId, Date.now(), 90)],
    ['403 AgentNotLetIn', await root.issue(BANK, newAgent())],
  ] as const;
  for (const [expected, identity] of cases) assert.equal(reasonIn(await post(rig.listening, identity, syslog(['x']))), expected);
  assert.deepEqual(rig.local.count(), []);
});

test("a certificate that has expired by the workspace's clock is refused", async (t) => {
  let now = Date.now();
  const rig = await startRig(t, {}, { now: () => now, after: () => () => {} });
  const relay = await onboardedAgent(rig.listening, BANK, now);
  const root = await createRoot();
  const agentId = newAgent();
  const identity = await root.issue(BANK, agentId, now);
  await say(rig, relay, root, [agentId]);
  assert.equal((await post(rig.listening, identity, syslog(['x']))).status, 200);
  now += 91 * DAY_MS;
  assert.equal(reasonIn(await post(rig.listening, identity, syslog(['x']))), '403 CertificateExpired');
});

test('a suspended agent is refused from the next request on, also after a restart, until the relay lets it in again', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const root = await createRoot();
  const [agentId, other] = [newAgent(), newAgent()];
  const identity = await root.issue(BANK, agentId);
  await say(rig, relay, root, [agentId, other]);
  assert.equal((await post(rig.listening, identity, syslog(['x']))).status, 200);
  await say(rig, relay, root, [other]);
  assert.equal(reasonIn(await post(rig.listening, identity, syslog(['x']))), '403 AgentNotLetIn');
  await rig.local.stop();
  const again = await startRig(t, { dataFolder: rig.dataFolder });
  assert.equal(reasonIn(await post(again.listening, identity, syslog(['x']))), '403 AgentNotLetIn');
  assert.equal((await post(again.listening, await root.issue(BANK, other), syslog(['x']))).status, 200);
  await say(again, relay, root, [agentId]);
  assert.equal((await post(again.listening, identity, syslog(['x']))).status, 200);
});

test('a root that the relay no longer names is not trusted any more', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const [before, after] = [await createRoot('before'), await createRoot('after')];
  const agentId = newAgent();
  const identity = await before.issue(BANK, agentId);
  await say(rig, relay, before, [agentId]);
  assert.equal((await post(rig.listening, identity, syslog(['x']))).status, 200);
  await say(rig, relay, after, [agentId]);
  assert.equal(reasonIn(await post(rig.listening, identity, syslog(['x']))), '403 UnknownCertificate');
});

test('an agent that a relay answers for lets nobody in, outlives no suspension and speaks for no other', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const root = await createRoot();
  const agentId = newAgent();
  const identity = await root.issue(BANK, agentId);
  await say(rig, relay, root, [agentId]);
  assert.equal(reasonIn(await say(rig, { workspaceId: BANK, agentId, identity }, root, [newAgent()])), '403 NotRegistered');
  const own = await createAgentIdentity(BANK, agentId, Date.now(), 90);
  assert.equal(reasonIn(await post(rig.listening, identity, { path: RENEW_PATH, body: writeRenewalRequest(fromPem(own.certificate)) })), '403 NotRegistered');
  assert.equal(reasonIn(await post(rig.listening, identity, syslog(['x'], { 'x-relay-agent-id': newAgent() }))), '403 AgentMismatch');
});

test('a relay of one workspace answers for nobody in another, and a statement that is none changes nothing', async (t) => {
  const rig = await startRig(t);
  const relay = await onboardedAgent(rig.listening, BANK);
  const root = await createRoot();
  const agentId = newAgent();
  await say(rig, relay, root, [agentId]);
  assert.equal(reasonIn(await post(rig.listening, await root.issue(PLANT, agentId), syslog(['x']))), '403 UnknownCertificate');
  const leaf = (await root.issue(BANK, agentId)).certificate;
  const bodies = ['', '[]', 'null', '{"roots":[],"agents":["me"]}', '{"roots":["no PEM"],"agents":[]}', JSON.stringify({ roots: [leaf], agents: [] })];
  for (const body of bodies) assert.equal(reasonIn(await post(rig.listening, relay.identity, { path: AUTHORITIES_PATH, body })), '400 InvalidAuthorities');
  assert.equal((await post(rig.listening, await root.issue(BANK, agentId), syslog(['x']))).status, 200);
});
