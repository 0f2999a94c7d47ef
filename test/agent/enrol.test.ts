import assert from 'node:assert/strict';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readEnrolment, readIdentity, readSettings } from '../../src/agent/agent-folder.ts';
import { type EnrolOptions, enrolAgent } from '../../src/agent/enrol.ts';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { systemClock } from '../../src/clock.ts';
import { readTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { type FakeRelay, KEY, startFakeRelay, WORKSPACE } from './fake-relay.ts';
import { makeTestFolder } from './test-folder.ts';

function options(folder: string, relay: FakeRelay, change: Partial<EnrolOptions> = {}): EnrolOptions {
  return {
    folder,
    relay: relay.address,
    workspaceId: WORKSPACE,
    key: KEY,
    trust: { root: relay.root },
    hostName: 'web01.example.org',
    clock: systemClock,
    ...change,
  };
}

describe('enrolling', () => {
  it('trusts the root of a file, signs with the key and keeps what the relay answered', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const outcome = await enrolAgent(options(folder.path, relay));
    assert.equal(outcome.outcome, 'enrolled');
    const { settings, identity, root } = await readEnrolment(folder.path);
    assert.equal(settings.relay, relay.address);
    assert.equal(settings.hostName, 'web01.example.org');
    assert.equal(settings.topologyIntervalS, 120);
    assert.equal(root, relay.root);
    assert.deepEqual([...relay.known], [fingerprintOf(fromPem(identity.certificate))]);
    assert.equal(readTopologyRequest(relay.seen[0]?.body ?? Buffer.alloc(0))?.hostName, 'web01.example.org');
  });

  it('writes its settings and its key for nobody else to read', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    await enrolAgent(options(folder.path, relay));
    for (const name of ['agent.json', 'agent.key']) assert.equal((await stat(join(folder.path, name))).mode & 0o777, 0o600, name);
  });

  it('trusts exactly the root with the fingerprint given, however it is written', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const fingerprint = (relay.rootFingerprint.toUpperCase().match(/../g) ?? []).join(':');
    const outcome = await enrolAgent(options(folder.path, relay, { trust: { fingerprint } }));
    assert.equal(outcome.outcome, 'enrolled');
    assert.equal((await readEnrolment(folder.path)).root, relay.root);
  });

  it('refuses another root, names both fingerprints and sends nothing', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const wanted = 'ab'.repeat(32);
    await assert.rejects(enrolAgent(options(folder.path, relay, { trust: { fingerprint: wanted } })), (error: Error) => {
      assert.match(error.message, new RegExp(wanted));
      assert.match(error.message, new RegExp(relay.rootFingerprint));
      return true;
    });
    assert.deepEqual(relay.seen, []);
  });

  it('does not send the key to a relay whose certificate another root signed', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const other = await openAuthority(join(folder.path, 'other'), Date.now);
    await assert.rejects(enrolAgent(options(folder.path, relay, { trust: { root: other.root } })), { code: 'relay.agent.unreachable' });
    assert.deepEqual(relay.seen, []);
  });

  it('refuses a server certificate given as the root', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const agentId = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');
    const { certificate } = await createAgentIdentity(WORKSPACE, agentId, Date.now(), 1);
    await assert.rejects(enrolAgent(options(folder.path, relay, { trust: { root: certificate } })), { code: 'relay.agent.untrusted' });
  });

  it("hands on the relay's reason and message when the key is wrong, and is not enrolled", async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const outcome = await enrolAgent(options(folder.path, relay, { key: Buffer.alloc(64).toString('base64') }));
    assert.equal(outcome.outcome, 'refused');
    assert.equal(outcome.outcome === 'refused' && outcome.reason, 'InvalidWorkspaceKey');
    assert.match(outcome.outcome === 'refused' ? outcome.message : '', /Check the workspace id and the key/);
    assert.equal(await readSettings(folder.path), undefined);
  });

  it('never shows the key in a message', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    await assert.rejects(enrolAgent(options(folder.path, relay, { key: 'not base64, but secret!' })), (error: Error) => !error.message.includes('secret'));
  });

  it('keeps its GUID and its key pair when it enrols again', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    await enrolAgent(options(folder.path, relay));
    const first = await readEnrolment(folder.path);
    await enrolAgent(options(folder.path, relay, { hostName: 'renamed' }));
    const second = await readEnrolment(folder.path);
    assert.deepEqual(second.identity, first.identity);
    assert.equal(second.settings.agentId, first.settings.agentId);
    assert.equal(second.settings.hostName, 'renamed');
  });

  it('takes a new pair but keeps its GUID when the old certificate has run out', async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    const longAgo = { ...systemClock, now: () => Date.now() - 100 * 86_400_000 };
    const refused = await enrolAgent(options(folder.path, relay, { clock: longAgo }));
    assert.equal(refused.outcome, 'refused');
    const old = await readIdentity(folder.path);
    const outcome = await enrolAgent(options(folder.path, relay));
    const enrolment = await readEnrolment(folder.path);
    assert.equal(outcome.outcome, 'enrolled');
    assert.notEqual(enrolment.identity.privateKey, old?.privateKey);
    assert.match(Buffer.from(fromPem(old?.certificate ?? '')).toString('latin1'), new RegExp(enrolment.settings.agentId));
  });

  it("does not put a second workspace's agent into the same folder", async () => {
    await using relay = await startFakeRelay();
    await using folder = await makeTestFolder();
    await enrolAgent(options(folder.path, relay));
    const workspaceId = parseWorkspaceId('00000000-1111-2222-3333-444444444444');
    await assert.rejects(enrolAgent(options(folder.path, relay, { workspaceId })), /belongs to workspace 3f1c2d4e/);
  });

  it('finishes a swap of the pair that a crash cut short', async () => {
    await using folder = await makeTestFolder();
    const agentId = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');
    const [old, renewed] = await Promise.all([1, 2].map(() => createAgentIdentity(WORKSPACE, agentId, Date.now(), 90)));
    await writeFile(join(folder.path, 'agent.pem'), old?.certificate ?? '');
    await writeFile(join(folder.path, 'agent.pem.new'), renewed?.certificate ?? '');
    await writeFile(join(folder.path, 'agent.key'), renewed?.privateKey ?? '');
    assert.deepEqual(await readIdentity(folder.path), renewed);
    assert.deepEqual(await readIdentity(folder.path), renewed);
  });
});
