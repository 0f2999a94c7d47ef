import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { RENEW_PATH, TELEMETRY_PATH, TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { writeRenewalRequest, writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { BANK, codeIn, connectTls, createIntakeRig, type EnrolledAgent, enrolAgent, type IntakeRig, readAll, send } from './rig.ts';

const PLANT = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
const ENVELOPE = '{"DataType":"LINUX_SYSLOGS_BLOB","IPName":"LogManagement","DataItems":[{"a":1}]}';
const upload = { path: UPLOAD_PATH, body: ENVELOPE };

interface Rig extends IntakeRig {
  readonly port: number;
  readonly agent: EnrolledAgent;
}

async function listen(): Promise<Rig> {
  const rig = await createIntakeRig();
  return { ...rig, port: await rig.intake.start(), agent: await enrolAgent(rig) };
}

describe('an agent that is suspended', () => {
  it('loses its idle connections, and nobody else does', async () => {
    await using rig = await listen();
    const other = await enrolAgent(rig);
    const [idle, used, others] = await Promise.all([rig.agent.identity, rig.agent.identity, other.identity].map((identity) => connectTls(rig.port, identity)));
    assert.ok(idle && used && others);
    const [first, second] = [readAll(idle), readAll(used)];
    used.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nContent-Length: ${ENVELOPE.length}\r\n\r\n${ENVELOPE}`);
    await new Promise((resolve) => used.once('data', resolve));
    // The answer is on its way before the request counts as over.
    await eventually('both connections are ended', () => {
      rig.intake.endIdle([fingerprintOf(rig.agent.der)]);
      return idle.closed && used.closed ? true : undefined;
    });
    assert.deepEqual([await first, (await second).match(/HTTP\/1\.1 \d+/g)], ['', ['HTTP/1.1 200']]);
    const answers = readAll(others);
    others.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: ${ENVELOPE.length}\r\n\r\n${ENVELOPE}`);
    assert.match(await answers, /^HTTP\/1\.1 200/);
  });

  it('keeps the connection that carries a request, and is answered', async () => {
    await using rig = await listen();
    const socket = await connectTls(rig.port, rig.agent.identity);
    const answers = readAll(socket);
    const counted = rig.group.registry.get({ workspaceId: BANK, agentId: rig.agent.agentId })?.lastSeenAt ?? 0;
    rig.clock.advance(1);
    socket.write(`POST ${UPLOAD_PATH} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nContent-Length: ${ENVELOPE.length}\r\n\r\n${ENVELOPE.slice(0, 10)}`);
    await eventually(
      'its request has begun',
      () => (rig.group.registry.get({ workspaceId: BANK, agentId: rig.agent.agentId })?.lastSeenAt ?? 0) > counted || undefined,
    );
    rig.intake.endIdle([fingerprintOf(rig.agent.der)]);
    socket.write(ENVELOPE.slice(10));
    assert.match(await answers, /^HTTP\/1\.1 200/);
  });

  it('is refused by the agent service too, on a connection that is open already', async () => {
    await using rig = await listen();
    const body = writeTopologyRequest({ hostName: 'web01', agentId: rig.agent.agentId, certificate: rig.agent.der, operatingSystem: 'Debian 12' });
    const socket = await connectTls(rig.port, rig.agent.identity);
    const answers = readAll(socket);
    const request = (path: string, more = ''): string => `POST ${path} HTTP/1.1\r\nHost: relay\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`;
    socket.write(request(TOPOLOGY_PATH));
    await new Promise((resolve) => socket.once('data', resolve));
    rig.group.registry.setState(BANK, rig.agent.agentId, 'suspended', 'stolen');
    socket.write(request(TOPOLOGY_PATH) + request(TELEMETRY_PATH) + request(RENEW_PATH, 'Connection: close\r\n'));
    assert.deepEqual((await answers).match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 403', 'HTTP/1.1 403']);
  });
});

describe('an agent that is removed', () => {
  it('is not known from its next request on', async () => {
    await using rig = await listen();
    assert.equal((await send(rig.port, rig.agent.identity, upload)).status, 200);
    rig.group.registry.remove({ workspaceId: BANK, agentId: rig.agent.agentId });
    const { status, text } = await send(rig.port, rig.agent.identity, upload);
    assert.deepEqual([status, codeIn(text)], [403, 'relay.agent.unknown-certificate']);
  });
});

describe('an agent that is moved', () => {
  it('sends to its new workspace from its next request on; what came before stays', async () => {
    await using rig = await listen();
    await send(rig.port, rig.agent.identity, upload);
    rig.group.registry.move({ workspaceId: BANK, agentId: rig.agent.agentId }, PLANT);
    await send(rig.port, rig.agent.identity, upload);
    assert.deepEqual(
      rig.kept.map(({ workspaceId, agentId }) => [workspaceId, agentId]),
      [
        [BANK, rig.agent.agentId],
        [PLANT, rig.agent.agentId],
      ],
    );
    const { receivedBatches, solutions } = rig.group.registry.get({ workspaceId: PLANT, agentId: rig.agent.agentId }) ?? assert.fail('it is gone');
    assert.deepEqual([receivedBatches, Object.keys(solutions)], [2, ['LogManagement']]);
  });

  it('renews its certificate under the workspace it enrolled for, or the one it is in, and under no other', async () => {
    await using rig = await listen();
    rig.group.registry.move({ workspaceId: BANK, agentId: rig.agent.agentId }, PLANT);
    const third = parseWorkspaceId('33333333-3333-4333-8333-333333333333');
    for (const [workspaceId, status] of [
      [third, 403],
      [BANK, 200],
      [PLANT, 200],
    ] as const) {
      const { certificate } = await createAgentIdentity(workspaceId, rig.agent.agentId, rig.clock.now(), 90);
      const body = writeRenewalRequest(fromPem(certificate));
      const answered = await send(rig.port, rig.agent.identity, { path: RENEW_PATH, body });
      assert.equal(answered.status, status, answered.text);
      assert.equal(rig.group.registry.find(fingerprintOf(fromPem(certificate)))?.agent.workspaceId, status === 200 ? PLANT : undefined);
    }
  });
});

describe('an agent that reports itself', () => {
  it('says which software it runs', async () => {
    await using rig = await listen();
    const body = writeTopologyRequest({ hostName: 'web01', agentId: rig.agent.agentId, certificate: rig.agent.der, operatingSystem: 'Debian 12' });
    const version = (): string | undefined => rig.group.registry.get({ workspaceId: BANK, agentId: rig.agent.agentId })?.version;
    for (const [userAgent, expected] of [
      ['curl/8.5.0', ''],
      ['LinuxMonitoringAgent/1.19.0-0', 'LinuxMonitoringAgent/1.19.0-0'],
      ['Ruby', 'LinuxMonitoringAgent/1.19.0-0'],
      ['RelayAgent/1.2.3', 'RelayAgent/1.2.3'],
    ] as const) {
      assert.equal((await send(rig.port, rig.agent.identity, { path: TOPOLOGY_PATH, body, headers: { 'user-agent': userAgent } })).status, 200);
      assert.equal(version(), expected);
    }
  });
});
