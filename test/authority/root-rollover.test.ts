import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, createServer, get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { trustedRoot } from '../../src/agent/trust.ts';
import { createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { type Authority, openAuthority } from '../../src/authority/authority.ts';
import { authorityOptions } from '../../src/authority/options.ts';
import { createServerIdentity } from '../../src/authority/server-identity.ts';
import { fingerprintOf, fromPem, toPem } from '../../src/authority/x509.ts';
import { silentLogger } from '../../src/logger.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const DAY_MS = 86_400_000;
const WORKSPACE = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
const AGENT = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');

async function issueAgent(authority: Authority, days: number): Promise<X509Certificate> {
  const publicKey = createPublicKey(await createPrivateKeyPem());
  return new X509Certificate(authority.issueAgent({ workspaceId: WORKSPACE, agentId: AGENT, publicKey, lifeMs: days * DAY_MS }).der);
}

const rolesOf = (authority: Authority): string =>
  authority
    .describe()
    .map(({ role }) => role)
    .join(' ');

describe('the rollover of the root', () => {
  it('makes the next root known, lets it sign after the overlap, and drops the old one when its last certificate has ended', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const authority = await openAuthority(folder.path, clock.now);
    const old = authority.root;
    const changes: string[] = [];
    authority.onChange(() => changes.push(rolesOf(authority)));
    const early = await issueAgent(authority, 90);
    assert.ok(early.verify(new X509Certificate(old).publicKey));

    await authority.rotate(30 * DAY_MS);
    const [, next = ''] = authority.roots().trusted;
    assert.equal(authority.root, old);
    clock.advance(29 * DAY_MS);
    await authority.keepUp();
    const last = await issueAgent(authority, 90);
    assert.ok(last.verify(new X509Certificate(old).publicKey));

    clock.advance(DAY_MS);
    await authority.keepUp();
    assert.equal(authority.root, next);
    assert.deepEqual(authority.roots(), { current: next, trusted: [next, old] });
    assert.ok((await issueAgent(authority, 90)).verify(new X509Certificate(next).publicKey));

    clock.advance(last.validToDate.getTime() - clock.now());
    await authority.keepUp();
    assert.equal(authority.roots().trusted.length, 2, 'a certificate of the old root is still good');
    clock.advance(2 * DAY_MS);
    await authority.keepUp();
    assert.deepEqual(authority.roots().trusted, [next]);
    assert.deepEqual(changes, ['current next', 'current retired', 'current']);
    assert.equal(authority.chain(), next);
  });

  it('is found as it was by the next start, at every step', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const authority = await openAuthority(folder.path, clock.now);
    const steps = [() => authority.rotate(DAY_MS), () => authority.finish(), () => authority.rotate(DAY_MS)];
    for (const step of steps) {
      await step();
      const again = await openAuthority(folder.path, clock.now);
      assert.deepEqual(again.describe(), authority.describe());
      assert.equal(await readFile(join(folder.path, 'root.pem'), 'utf8'), authority.root);
    }
    assert.deepEqual((await readdir(folder.path)).sort(), ['root.pem', 'roots.json']);
    assert.equal((await stat(join(folder.path, 'roots.json'))).mode & 0o777, 0o600);
  });

  it('knows after a restart how long the old root is needed', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const endsAt = (await issueAgent(await openAuthority(folder.path, clock.now), 90)).validToDate.getTime();
    const again = await openAuthority(folder.path, clock.now);
    await again.rotate(DAY_MS);
    await again.finish();
    const { trustedUntil = 0 } = again.describe()[1] ?? {};
    assert.ok(trustedUntil >= endsAt && trustedUntil <= endsAt + 2 * DAY_MS);
  });

  it('survives a stop between any two writes', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const authority = await openAuthority(folder.path, clock.now);
    const before = { pem: authority.root, key: await readFile(join(folder.path, 'root.key'), 'utf8') };
    await authority.serverIdentity(['localhost'], 90);
    await authority.rotate(DAY_MS);
    await authority.finish();
    // As if roots.json had been the last thing written: the files of the old root are still there.
    await writeFile(join(folder.path, 'root.pem'), before.pem);
    await writeFile(join(folder.path, 'root.key'), before.key, { mode: 0o600 });
    const again = await openAuthority(folder.path, clock.now);
    assert.deepEqual(again.describe(), authority.describe());
    assert.equal(await readFile(join(folder.path, 'root.pem'), 'utf8'), again.root);
    assert.ok(!(await readdir(folder.path)).includes('root.key'));
    const server = new X509Certificate((await again.serverIdentity(['localhost'], 90)).certificate);
    assert.ok(server.verify(new X509Certificate(again.root).publicKey));
  });

  it('refuses a damaged file of roots, and says where the backup goes', async () => {
    await using folder = await temporaryFolder();
    const authority = await openAuthority(folder.path, Date.now);
    await authority.rotate(DAY_MS);
    const path = join(folder.path, 'roots.json');
    const whole = JSON.parse(await readFile(path, 'utf8')) as { current: object };
    const damaged = ['{', '{}', JSON.stringify({ ...whole, current: { ...whole.current, privateKey: await createPrivateKeyPem() } })];
    for (const text of damaged) {
      await writeFile(path, text);
      await assert.rejects(openAuthority(folder.path, Date.now), { code: 'relay.authority.unusable', message: /roots\.json .*Restore it from a backup/ });
    }
  });
});

describe('a listener whose root changes', () => {
  it('keeps open connections, and is verified by clients that know the old root, the new one, or both', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock();
    const authority = await openAuthority(folder.path, clock.now);
    const identity = await createServerIdentity({ options: authorityOptions.parse({}), domain: 'relay.test', authority, clock, log: silentLogger });
    const listener = createServer({ cert: identity.current().certificate, key: identity.current().privateKey }, (_request, response) => response.end('ok'));
    const stop = identity.watch((next) => listener.setSecureContext({ cert: next.certificate, key: next.privateKey }));
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const { port } = listener.address() as AddressInfo;
    const ask = async (agent: Agent): Promise<{ localPort: number | undefined; certificate: string }> => {
      const request = get({ host: '127.0.0.1', port, agent });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      const socket = request.socket as TLSSocket;
      return { localPort: socket.localPort, certificate: toPem(socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0)) };
    };
    const old = authority.root;
    const kept = new Agent({ keepAlive: true, maxSockets: 1, ca: old });
    const first = await ask(kept);

    await authority.rotate(30 * DAY_MS);
    const next = authority.roots().trusted[1] ?? '';
    assert.equal((await ask(new Agent({ ca: old }))).certificate, first.certificate, 'the server keeps its certificate during the overlap');
    await authority.finish();
    await eventually('the certificate under the new root', () =>
      new X509Certificate(identity.current().certificate).verify(new X509Certificate(next).publicKey),
    );

    const onOpenConnection = await ask(kept);
    assert.equal(onOpenConnection.localPort, first.localPort, 'the open connection was kept');
    for (const ca of [old, next, old + next]) assert.notEqual((await ask(new Agent({ ca }))).certificate, first.certificate);
    for (const root of [old, next])
      assert.equal(await trustedRoot(new URL(`https://127.0.0.1:${port}`), { fingerprint: fingerprintOf(fromPem(root)) }), root, 'learnt by fingerprint');
    kept.destroy();
    stop();
    listener.closeAllConnections();
    listener.close();
  });
});
