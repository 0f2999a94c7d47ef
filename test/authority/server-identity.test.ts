import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { openAuthority } from '../../src/authority/authority.ts';
import { authorityOptions } from '../../src/authority/options.ts';
import { createServerIdentity, type ServerIdentity } from '../../src/authority/server-identity.ts';
import { createLogger, silentLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const NOW = Date.now();
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

async function identityIn(folder: string, clock: ManualClock, options: object = {}): Promise<ServerIdentity> {
  const authority = await openAuthority(join(folder, 'authority'), clock.now);
  return createServerIdentity({ options: authorityOptions.parse(options), domain: 'relay.test', authority, clock, log: silentLogger });
}

describe("the server's identity", () => {
  it('names the domain, both wildcards, this host and the names configured, and brings the root along', async () => {
    await using folder = await temporaryFolder();
    const identity = await identityIn(folder.path, createManualClock(NOW), { serverNames: ['10.0.0.5'] });
    const { certificate } = identity.current();
    const names = new X509Certificate(certificate).subjectAltName ?? '';
    for (const name of ['DNS:relay.test', 'DNS:*.oms.relay.test', 'DNS:*.ods.relay.test', 'IP Address:10.0.0.5', 'DNS:localhost'])
      assert.ok(names.includes(name), name);
    assert.equal(certificate.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  it('is renewed at two thirds of its life, and the next handshake on the same listener sees the new one', async () => {
    // Arrange
    await using folder = await temporaryFolder();
    const clock = createManualClock(NOW);
    const identity = await identityIn(folder.path, clock);
    const { certificate: cert, privateKey: key } = identity.current();
    const listener = createServer({ cert, key });
    const stop = identity.watch((next) => listener.setSecureContext({ cert: next.certificate, key: next.privateKey }));
    await once(listener.listen(0, '127.0.0.1'), 'listening');
    const presented = async (): Promise<string> => {
      const socket = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerX509Certificate() ?? assert.fail('no certificate');
      socket.destroy();
      return fingerprint256;
    };
    const before = await presented();

    // Act
    clock.advance(61 * DAY_MS);

    // Assert
    const after = await eventually('the new certificate', async () => (await presented()) !== before && (await presented()));
    assert.equal(new X509Certificate(identity.current().certificate).fingerprint256, after);
    assert.equal(identity.endsAt(), new X509Certificate(identity.current().certificate).validToDate.getTime());
    stop();
    listener.close();
  });

  it('is told to everybody who watches, not to the first one alone', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock(NOW);
    const identity = await identityIn(folder.path, clock);
    const told: string[] = [];
    const stops = ['intake', 'tunnel'].map((name) => identity.watch(() => told.push(name)));
    clock.advance(61 * DAY_MS);
    await eventually('both are told', () => told.length >= 2);
    assert.deepEqual(told, ['intake', 'tunnel']);
    for (const stop of stops) stop();
  });

  it("of the operator's own is taken from its files, read again when they change, and kept when they cannot be read", async () => {
    // Arrange: files of another authority.
    await using folder = await temporaryFolder();
    const clock = createManualClock(NOW);
    const own = await openAuthority(join(folder.path, 'own'), clock.now);
    const files = { serverCertificateFile: join(folder.path, 'own', 'server.pem'), serverKeyFile: join(folder.path, 'own', 'server.key') };
    await own.serverIdentity(['relay.example'], 90);
    const written: string[] = [];
    const log = createLogger('warn', { write: (line: string) => void written.push(line) });
    const authority = await openAuthority(join(folder.path, 'authority'), clock.now);
    const identity = await createServerIdentity({ options: authorityOptions.parse(files), domain: 'relay.test', authority, clock, log });
    assert.equal(identity.current().certificate, await readFile(files.serverCertificateFile, 'utf8'));
    const renewed: string[] = [];
    const stop = identity.watch((next) => renewed.push(next.certificate));

    // Act and assert: other names mean another certificate in the same files.
    await own.serverIdentity(['relay.example', 'other.example'], 90);
    clock.advance(HOUR_MS);
    await eventually('the new files', () => renewed.length === 1);
    assert.equal(identity.current().certificate, await readFile(files.serverCertificateFile, 'utf8'));

    await writeFile(files.serverCertificateFile, 'no certificate');
    await eventually('the next look', () => clock.waits().length > 0);
    clock.advance(HOUR_MS);
    await eventually('the error', () => written.some((line) => line.includes('could not be renewed')));
    assert.equal(identity.current().certificate, renewed[0]);
    stop();
  });

  it('names what this relay is called in its group, from the moment that it has a name there', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock(NOW);
    const authority = await openAuthority(join(folder.path, 'authority'), clock.now);
    const listeners = new Set<() => void>();
    let list: string[] = [];
    const names = {
      list: () => list,
      onChange(listener: () => void) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
    };
    const identity = await createServerIdentity({ options: authorityOptions.parse({}), domain: 'relay.test', authority, names, clock, log: silentLogger });
    const renewed: string[] = [];
    const stop = identity.watch(({ certificate }) => void renewed.push(new X509Certificate(certificate).subjectAltName ?? ''));
    list = ['relay1.example.org'];
    for (const listener of listeners) listener();
    await eventually('it has the name', () => renewed.length === 1);
    assert.ok(renewed[0]?.includes('DNS:relay1.example.org'));
    stop();
    assert.equal(listeners.size, 0);
  });

  it('does not bring in the next root where another relay decides that', async () => {
    await using folder = await temporaryFolder();
    const clock = createManualClock(NOW);
    const authority = await openAuthority(join(folder.path, 'authority'), clock.now);
    await authority.rotate(HOUR_MS);
    const parts = { options: authorityOptions.parse({}), domain: 'relay.test', authority, clock, log: silentLogger };
    let mayKeepUp = false;
    let asked = 0;
    const identity = await createServerIdentity({
      ...parts,
      mayKeepUp() {
        asked += 1;
        return mayKeepUp;
      },
    });
    const stop = identity.watch(() => {});
    const { rootFingerprint } = authority;
    clock.advance(2 * HOUR_MS);
    await eventually('it has looked', () => asked === 1 && clock.waits().length > 0);
    assert.equal(authority.rootFingerprint, rootFingerprint);
    mayKeepUp = true;
    clock.advance(HOUR_MS);
    await eventually('the next root signs', () => authority.rootFingerprint !== rootFingerprint);
    stop();
  });
});
