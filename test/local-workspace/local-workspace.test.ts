import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { createLocalWorkspace } from '../../src/local-workspace/local-workspace.ts';
import { silentLogger } from '../../src/logger.ts';
import { DIAGNOSTICS_PATH, RENEW_PATH, TELEMETRY_PATH, TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { readTopologyReply } from '../../src/oms-protocol/topology-reply.ts';
import { writeRenewalRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId } from '../../src/workspace/workspace-id.ts';
import { BANK, createAgent, onboard, onboardedAgent, optionsFor, outcomeOf, PLANT, post, SENT_AT, startRig, syslog, type TestAgent } from './rig.ts';

const DAY_MS = 86_400_000;

interface Refused {
  readonly error: { readonly code: string };
}

test('an agent that signs with the workspace key is registered, and may send from then on', async (t) => {
  const { listening, local } = await startRig(t);
  const agent = await createAgent(BANK);
  assert.equal((await post(listening, agent.identity, syslog(['before']))).status, 403);
  const reply = await onboard(listening, agent);
  assert.equal(reply.status, 200);
  assert.equal(readTopologyReply(reply.text)?.renewalAddress, `https://127.0.0.1:${listening.port}${RENEW_PATH}`);
  assert.equal((await post(listening, agent.identity, syslog(['after']))).status, 200);
  assert.deepEqual(
    (await local.query(BANK, { limit: 10 })).map(({ data }) => (data as { Message: string }).Message),
    ['after'],
  );
});

test('every row is tagged with workspace, agent, data type, time received and content hash', async (t) => {
  const { listening, local } = await startRig(t);
  const sender = await onboardedAgent(listening, BANK);
  const batchId = randomUUID();
  const carried = parseAgentId(randomUUID());
  const before = new Date().toISOString();
  assert.equal((await post(listening, sender.identity, syslog(['hello'], { 'x-relay-batch-id': batchId, 'x-relay-agent-id': carried }))).status, 200);
  const [record] = await local.query(BANK, { limit: 10 });
  assert.ok(record);
  const { receivedAt, ...tags } = record;
  assert.ok(receivedAt >= before && receivedAt <= new Date().toISOString());
  const data = { Timestamp: SENT_AT, Host: 'web01', Message: 'hello' };
  const contentHash = createHash('sha256').update(JSON.stringify(data)).digest('hex');
  const expected = {
    seq: 1,
    row: 0,
    workspaceId: BANK,
    agentId: carried,
    dataType: 'LINUX_SYSLOGS_BLOB',
    timeGenerated: data.Timestamp,
    contentHash,
    batchId,
    way: 'relay',
    data,
  };
  assert.deepEqual({ ...tags }, expected);
});

test('without a relay in between the sender is the agent, and each POST gets a batch id', async (t) => {
  const { listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  await post(listening, agent.identity, syslog(['a']));
  await post(listening, agent.identity, syslog(['b']));
  assert.deepEqual(
    (await local.query(BANK, { limit: 10 })).map(({ agentId }) => agentId),
    [agent.agentId, agent.agentId],
  );
  assert.equal(new Set(local.batchIds(BANK)).size, 2);
});

test('a batch that comes twice is kept twice and counted as repeated', async (t) => {
  const { listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  const ids = [randomUUID(), randomUUID()];
  const upload = syslog(['a', 'b']);
  for (const id of [ids[0], ids[1], ids[0]])
    await post(listening, agent.identity, { ...upload, headers: { ...upload.headers, 'x-relay-batch-id': String(id) } });
  const bytes = 3 * upload.body.length;
  const expected = { workspaceId: BANK, dataType: 'LINUX_SYSLOGS_BLOB', batches: 3, direct: 3, distinctBatches: 2, repeated: 1, records: 6, bytes };
  assert.deepEqual(local.count(BANK), [expected]);
  assert.deepEqual(local.batchIds(BANK), ids);
});

test('custom records and diagnostics are taken, whatever the case of their path', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  const headers = { 'log-type': 'DemoLog', 'time-generated-field': 'when' };
  const path = `${UPLOAD_PATH.toLowerCase()}?api-version=2016-04-01`;
  const when = SENT_AT.replace('.000Z', 'Z');
  assert.equal((await post(listening, identity, { path, headers, body: JSON.stringify([{ when, text: 'x' }]) })).status, 200);
  assert.equal(
    (await post(listening, identity, { path: DIAGNOSTICS_PATH, body: JSON.stringify({ DataItems: [{ LogData: 'y' }], IPName: 'Diagnostics' }) })).status,
    200,
  );
  const records = await local.query(BANK, { limit: 10 });
  assert.deepEqual(
    records.map(({ dataType, timeGenerated }) => [dataType, timeGenerated]),
    [
      ['DemoLog', SENT_AT],
      ['Diagnostics', records[1]?.receivedAt],
    ],
  );
});

test('what cannot be believed is refused with a reason, and nothing of it is kept', async (t) => {
  const { listening, local } = await startRig(t);
  const { identity } = await onboardedAgent(listening, BANK);
  const custom = `${UPLOAD_PATH}?api-version=2016-04-01`;
  const cases = [
    [400, 'InvalidEncoding', { path: UPLOAD_PATH, body: 'not zlib', headers: { 'content-encoding': 'deflate' } }],
    [415, 'UnsupportedEncoding', { path: UPLOAD_PATH, body: '{}', headers: { 'content-encoding': 'br' } }],
    [400, 'InvalidJson', { path: UPLOAD_PATH, body: '{"DataType":' }],
    [400, 'InvalidJson', { path: UPLOAD_PATH, body: '' }],
    [400, 'InvalidEnvelope', { path: UPLOAD_PATH, body: '[]' }],
    [400, 'MissingDataType', { path: UPLOAD_PATH, body: '{"DataItems":[]}' }],
    [400, 'InvalidRecords', { path: UPLOAD_PATH, body: '{"DataType":"X","DataItems":"y"}' }],
    [400, 'InvalidRecord', { path: UPLOAD_PATH, body: '{"DataType":"X","DataItems":[{},1]}' }],
    [400, 'InvalidRecords', { path: custom, body: '"text"', headers: { 'log-type': 'Demo' } }],
    [400, 'InvalidLogType', { path: custom, body: '[]' }],
    [400, 'UnsupportedApiVersion', { path: `${UPLOAD_PATH}?api-version=2020-01-01`, body: '[]', headers: { 'log-type': 'Demo' } }],
    [400, 'InvalidBatchId', { path: UPLOAD_PATH, body: '{}', headers: { 'x-relay-batch-id': 'a b' } }],
    [400, 'InvalidAgentId', { path: UPLOAD_PATH, body: '{}', headers: { 'x-relay-agent-id': 'me' } }],
    [404, 'NotFound', { path: '/OperationalData.svc/Other', body: '{}' }],
  ] as const;
  for (const [status, code, request] of cases) {
    const reply = await post(listening, identity, request);
    assert.equal(reply.status, status, code);
    assert.equal((JSON.parse(reply.text) as Refused).error.code, code);
  }
  assert.deepEqual(local.count(), []);
});

test('a certificate of one workspace writes nothing to the other', async (t) => {
  const { listening, local } = await startRig(t);
  const bank = await onboardedAgent(listening, BANK);
  const plant = await onboardedAgent(listening, PLANT);
  await post(listening, bank.identity, syslog(['of the bank']));
  await post(listening, plant.identity, syslog(['of the plant']));
  const kept = await Promise.all([BANK, PLANT].map((id) => local.query(id, { limit: 10 })));
  assert.deepEqual(
    kept.map((records) => records.map(({ workspaceId, data }) => [workspaceId, (data as { Message: string }).Message])),
    [[[BANK, 'of the bank']], [[PLANT, 'of the plant']]],
  );
});

test('an onboarding is refused for the key of another workspace, and for names the key does not cover', async (t) => {
  const { listening } = await startRig(t);
  const agent = await createAgent(BANK);
  const wrongKey = await onboard(listening, agent, PLANT);
  assert.equal(wrongKey.status, 403);
  assert.match(wrongKey.text, /<Reason>InvalidWorkspaceKey<\/Reason>/);
  const borrowed: TestAgent = { ...agent, workspaceId: PLANT };
  assert.match((await onboard(listening, borrowed)).text, /<Reason>CertificateMismatch<\/Reason>/);
  assert.equal((await post(listening, agent.identity, syslog(['x']))).status, 403);
});

test('nothing is taken without a client certificate, or with one that has expired', async (t) => {
  let now = Date.now();
  const { listening, local } = await startRig(t, {}, { now: () => now, after: () => () => {} });
  const agent = await onboardedAgent(listening, BANK, now);
  now += 91 * DAY_MS;
  const codes = [];
  for (const identity of [undefined, agent.identity]) codes.push((JSON.parse((await post(listening, identity, syslog(['x']))).text) as Refused).error.code);
  assert.deepEqual(codes, ['MissingCertificate', 'CertificateExpired']);
  assert.match((await onboard(listening, agent, BANK, now)).text, /<Reason>CertificateExpired<\/Reason>/);
  assert.deepEqual(local.count(), []);
});

test('an agent is asked for a new certificate at two thirds of its life, and both work after the renewal', async (t) => {
  let now = Date.now();
  const { listening } = await startRig(t, {}, { now: () => now, after: () => () => {} });
  const agent = await onboardedAgent(listening, BANK, now);
  const asked = async (): Promise<boolean | undefined> =>
    readTopologyReply((await post(listening, agent.identity, { path: TOPOLOGY_PATH, body: 'any' })).text)?.renewCertificate;
  assert.equal(await asked(), false);
  now += 61 * DAY_MS;
  assert.equal(await asked(), true);
  const next = await createAgentIdentity(BANK, agent.agentId, Date.now(), 90);
  assert.equal((await post(listening, agent.identity, { path: RENEW_PATH, body: writeRenewalRequest(fromPem(next.certificate)) })).status, 200);
  for (const identity of [agent.identity, next]) assert.equal((await post(listening, identity, syslog(['x']))).status, 200);
});

test('a renewal for another name is refused', async (t) => {
  const { listening } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  const other = await createAgent(PLANT);
  const reply = await post(listening, agent.identity, { path: RENEW_PATH, body: writeRenewalRequest(fromPem(other.identity.certificate)) });
  assert.deepEqual([reply.status, /<Reason>(.*)<\/Reason>/.exec(reply.text)?.[1]], [403, 'CertificateMismatch']);
  assert.equal((await post(listening, other.identity, syslog(['x']))).status, 403);
});

test('telemetry is answered with an empty 200 to agents that are known', async (t) => {
  const { listening } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  const reply = await post(listening, agent.identity, { path: TELEMETRY_PATH, body: '{}' });
  assert.deepEqual([reply.status, reply.text], [200, '']);
  assert.equal((await post(listening, (await createAgent(BANK)).identity, { path: TELEMETRY_PATH, body: '{}' })).status, 403);
});

test('after a restart the data, the certificates and the root are the same', async (t) => {
  const first = await startRig(t);
  const agent = await onboardedAgent(first.listening, BANK);
  await post(first.listening, agent.identity, syslog(['kept']));
  await first.local.stop();
  const second = await startRig(t, { dataFolder: first.dataFolder });
  assert.equal(second.listening.rootPem, first.listening.rootPem);
  assert.equal((await post(second.listening, agent.identity, syslog(['more']))).status, 200);
  assert.equal(second.local.count(BANK)[0]?.records, 2);
});

test('a second process on the same data folder is refused', async (t) => {
  const { dataFolder } = await startRig(t);
  const second = createLocalWorkspace(optionsFor(dataFolder), { clock: { now: Date.now, after: () => () => {} }, log: silentLogger });
  await assert.rejects(second.start(), { code: 'relay.local-workspace.already-running' });
});

test('a sink counts what comes without opening or keeping it', async (t) => {
  const { listening, local } = await startRig(t, { sink: true });
  const agent = await onboardedAgent(listening, BANK);
  const headers = { 'content-encoding': 'deflate', 'x-relay-batch-id': 'b-1' };
  for (let at = 0; at < 2; at += 1) assert.equal(await outcomeOf(post(listening, agent.identity, { path: UPLOAD_PATH, body: 'not even zlib', headers })), 200);
  assert.deepEqual(local.count(), [
    { workspaceId: BANK, dataType: '(not read)', batches: 2, direct: 2, distinctBatches: 1, repeated: 1, records: 0, bytes: 26 },
  ]);
  assert.deepEqual(await local.query(BANK, { limit: 10 }), []);
});

test('uploads that come at the same moment are all kept', async (t) => {
  const { listening, local } = await startRig(t);
  const agent = await onboardedAgent(listening, BANK);
  const ids = Array.from({ length: 40 }, () => randomUUID());
  const replies = await Promise.all(ids.map((id) => outcomeOf(post(listening, agent.identity, syslog([id], { 'x-relay-batch-id': id })))));
  assert.deepEqual(new Set(replies), new Set([200]));
  assert.deepEqual(new Set(local.batchIds(BANK)), new Set(ids));
});
