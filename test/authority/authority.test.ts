import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect, createServer } from 'node:tls';
import { createAgentIdentity, createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { openAuthority, renewalDue } from '../../src/authority/authority.ts';
import { fingerprintOf, fromPem } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const DAY_MS = 86_400_000;
const WORKSPACE = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
const AGENT = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');
const NAMES = ['relay.example', '*.ods.relay.example', '127.0.0.1', '::1'];

const temporaryFolder = () => mkdtempDisposable(join(tmpdir(), 'relay-authority-'));

// A clock that tests turn by hand.
function turnable(at: number): { now: () => number; turn: (ms: number) => void } {
  let time = at;
  return {
    now: () => time,
    turn: (ms) => {
      time += ms;
    },
  };
}

describe('openAuthority', () => {
  it('makes a root of ten years once, and keeps it when opened again', async () => {
    await using folder = await temporaryFolder();
    const first = await openAuthority(join(folder.path, 'authority'), () => NOW);
    const again = await openAuthority(join(folder.path, 'authority'), () => NOW + 400 * DAY_MS);

    assert.equal(again.root, first.root);
    assert.equal(again.rootFingerprint, first.rootFingerprint);
    assert.equal(first.rootFingerprint, fingerprintOf(fromPem(first.root)));
    const root = new X509Certificate(first.root);
    assert.equal(root.ca, true);
    assert.equal(root.subject, 'CN=Relay root 2026-11-22\nO=Relay');
    assert.equal(root.validToDate.getTime(), NOW + 3650 * DAY_MS);
  });

  it('keeps its folder and keys to itself', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'authority');
    const authority = await openAuthority(path, () => NOW);
    await authority.serverIdentity(NAMES, 90);

    const modeOf = async (name: string): Promise<number> => (await stat(join(path, name))).mode & 0o777;
    assert.equal(await modeOf('.'), 0o700);
    assert.equal(await modeOf('root.key'), 0o600);
    assert.equal(await modeOf('server.key'), 0o600);
    assert.deepEqual((await readdir(path)).sort(), ['root.key', 'root.pem', 'server.key', 'server.pem']);
  });

  it('refuses a root whose key is another, missing or no key, and leaves both files as they are', async () => {
    await using folder = await temporaryFolder();
    const { root } = await openAuthority(folder.path, () => NOW);
    const key = join(folder.path, 'root.key');
    const damage = [async () => await writeFile(key, await createPrivateKeyPem()), async () => await writeFile(key, 'garbage'), async () => await rm(key)];
    for (const damaged of damage) {
      await damaged();
      await assert.rejects(
        openAuthority(folder.path, () => NOW),
        { code: 'relay.authority.unusable', message: /root\.pem and root\.key do not belong together\. Restore both from the same backup/ },
      );
      assert.equal(await readFile(join(folder.path, 'root.pem'), 'utf8'), root);
    }
  });

  it('refuses a root that is no certificate', async () => {
    await using folder = await temporaryFolder();
    await openAuthority(folder.path, () => NOW);
    await writeFile(join(folder.path, 'root.pem'), 'garbage');
    await assert.rejects(
      openAuthority(folder.path, () => NOW),
      { code: 'relay.authority.unusable' },
    );
  });

  it('does not make another root where one was lost', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, () => NOW);
    await authority.serverIdentity(NAMES, 90);
    await rm(join(folder.path, 'root.pem'));
    await rm(join(folder.path, 'root.key'));
    await assert.rejects(
      openAuthority(folder.path, () => NOW),
      { code: 'relay.authority.unusable', message: /root\.pem is gone\. Restore it and root\.key from a backup/ },
    );
    assert.deepEqual((await readdir(folder.path)).sort(), ['server.key', 'server.pem']);
  });

  it('makes its root after a stop between key and certificate', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'root.key'), await createPrivateKeyPem());
    const authority = await openAuthority(folder.path, () => NOW);
    assert.equal((await openAuthority(folder.path, () => NOW)).root, authority.root);
  });
});

describe('serverIdentity', () => {
  it('is signed by the root and covers every name', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, () => NOW);
    const certificate = new X509Certificate((await authority.serverIdentity(NAMES, 90)).certificate);
    const root = new X509Certificate(authority.root);

    assert.equal(certificate.checkIssued(root), true);
    assert.equal(certificate.verify(root.publicKey), true);
    assert.equal(certificate.validToDate.getTime(), NOW + 90 * DAY_MS);
    assert.equal(certificate.checkHost('ws.ods.relay.example'), '*.ods.relay.example');
    assert.equal(certificate.checkIP('::1'), '::1');
  });

  it('stays the same while it is young and names enough, also when opened again', async () => {
    await using folder = await temporaryFolder();
    const clock = turnable(NOW);
    const authority = await openAuthority(folder.path, clock.now);
    const first = await authority.serverIdentity(NAMES, 90);
    clock.turn(59 * DAY_MS);
    assert.deepEqual(await authority.serverIdentity(NAMES, 90), first);
    assert.deepEqual(await authority.serverIdentity(NAMES.toReversed(), 90), first);
    const reopened = await openAuthority(folder.path, clock.now);
    assert.deepEqual(await reopened.serverIdentity(['relay.example'], 90), first);
  });

  it('is made anew for a name or address it lacks', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, () => NOW);
    let last = await authority.serverIdentity(['relay.example'], 90);
    for (const name of ['other.example', '*.relay.example', '10.0.0.5', '2001:db8::5']) {
      const next = await authority.serverIdentity(['relay.example', name], 90);
      assert.notEqual(next.certificate, last.certificate, name);
      assert.deepEqual(await authority.serverIdentity(['relay.example', name], 90), next);
      last = next;
    }
  });

  it('is made anew once two thirds of its life are over', async () => {
    await using folder = await temporaryFolder();
    const clock = turnable(NOW);
    const authority = await openAuthority(folder.path, clock.now);
    const first = await authority.serverIdentity(NAMES, 90);
    const due = renewalDue(new X509Certificate(first.certificate));

    clock.turn(due - NOW - 1);
    assert.deepEqual(await authority.serverIdentity(NAMES, 90), first);
    clock.turn(1);
    const second = await authority.serverIdentity(NAMES, 90);
    assert.notEqual(second.certificate, first.certificate);
    assert.notEqual(second.privateKey, first.privateKey);
    assert.equal(new X509Certificate(second.certificate).validToDate.getTime(), Math.floor((due + 90 * DAY_MS) / 1000) * 1000);
  });

  it('is made anew when it begins in the future, because the clock was wrong when it was made', async () => {
    await using folder = await temporaryFolder();
    const clock = turnable(NOW);
    const authority = await openAuthority(folder.path, clock.now);
    clock.turn(300 * DAY_MS);
    const early = await authority.serverIdentity(NAMES, 90);
    clock.turn(-300 * DAY_MS);
    const now = await authority.serverIdentity(NAMES, 90);
    assert.notEqual(now.certificate, early.certificate);
    assert.ok(new X509Certificate(now.certificate).validFromDate.getTime() <= NOW);
  });

  it('is made anew when its key is lost, or it was signed by another root', async () => {
    await using folder = await temporaryFolder();
    await using other = await temporaryFolder();
    const authority = await openAuthority(folder.path, () => NOW);
    const first = await authority.serverIdentity(NAMES, 90);
    await rm(join(folder.path, 'server.key'));
    const second = await authority.serverIdentity(NAMES, 90);
    assert.notEqual(second.certificate, first.certificate);

    const foreign = await (await openAuthority(other.path, () => NOW)).serverIdentity(NAMES, 90);
    await writeFile(join(folder.path, 'server.pem'), foreign.certificate);
    await writeFile(join(folder.path, 'server.key'), foreign.privateKey);
    const third = await authority.serverIdentity(NAMES, 90);
    assert.equal(new X509Certificate(third.certificate).verify(new X509Certificate(authority.root).publicKey), true);
  });

  it('carries a real TLS connection, in which the agent is known by its fingerprint', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, Date.now);
    const server = await authority.serverIdentity(NAMES, 90);
    const agent = await createAgentIdentity(WORKSPACE, AGENT, Date.now(), 90);

    const listener = createServer({ cert: server.certificate, key: server.privateKey, requestCert: true, rejectUnauthorized: false });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'secureConnection');
    const { port } = listener.address() as AddressInfo;
    const client = connect({ port, host: '127.0.0.1', servername: 'ws.ods.relay.example', ca: authority.root, cert: agent.certificate, key: agent.privateKey });
    await once(client, 'secureConnect');
    assert.equal(client.authorized, true);
    const [socket] = await accepted;
    assert.equal(fingerprintOf(socket.getPeerCertificate().raw), fingerprintOf(fromPem(agent.certificate)));
    socket.destroy();
    client.destroy();
    listener.close();
    await once(listener, 'close');
  });
});
