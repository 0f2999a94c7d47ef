import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { openAuthority } from '../../src/authority/authority.ts';
import { toPem } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const WORKSPACE = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
const DAY_MS = 86_400_000;

function toText(der: Buffer): string {
  return execFileSync('openssl', ['crl', '-inform', 'DER', '-text', '-noout'], { input: der }).toString();
}

describe('revocation list', () => {
  it('is what openssl needs to tell a revoked certificate from a good one', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'crl-'));
    const authority = await openAuthority(join(folder.path, 'authority'), Date.now);
    const issued = await Promise.all(
      ['good', 'bad'].map(async (name) => {
        const publicKey = createPublicKey(createPrivateKey(await createPrivateKeyPem()));
        const { der, serial } = authority.issueAgent({ workspaceId: WORKSPACE, agentId: parseAgentId(crypto.randomUUID()), publicKey, lifeMs: 90 * DAY_MS });
        const file = join(folder.path, `${name}.pem`);
        writeFileSync(file, toPem(der));
        return { file, serial };
      }),
    );
    const [good, bad] = issued;
    assert.ok(good && bad);
    const root = join(folder.path, 'root.pem');
    writeFileSync(root, authority.root);
    const revoked = [{ serial: bad.serial, at: Date.now() - 1000, reason: 'removed' as const }];
    const list = authority.revocationList({ revoked, thisUpdate: Date.now() - 1000, nextUpdate: Date.now() + DAY_MS });
    const listFile = join(folder.path, 'relay.crl');
    writeFileSync(listFile, execFileSync('openssl', ['crl', '-inform', 'DER'], { input: list }));
    const verify = (file: string): string => {
      const { stdout, stderr } = spawnSync('openssl', ['verify', '-crl_check', '-CAfile', root, '-CRLfile', listFile, file]);
      return stdout.toString() + stderr.toString();
    };
    assert.match(verify(good.file), /: OK/);
    assert.match(verify(bad.file), /certificate revoked/);
    assert.match(toText(list), /Version 2[\s\S]*CRL Number[\s\S]*Cessation Of Operation/);
  });

  it('names each reason, and has no empty sequence of entries', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'crl-'));
    const authority = await openAuthority(folder.path, Date.now);
    const revoked = (['superseded', 'removed', 'held'] as const).map((reason, index) => ({ serial: `f${index}`, at: Date.UTC(2026, 0, 1), reason }));
    const text = toText(authority.revocationList({ revoked, thisUpdate: Date.UTC(2026, 10, 1), nextUpdate: Date.UTC(2051, 0, 1) }));
    for (const words of ['Serial Number: F0', 'Superseded', 'Cessation Of Operation', 'Certificate Hold', 'Next Update: Jan  1 00:00:00 2051']) {
      assert.ok(text.includes(words), `${words} in ${text}`);
    }
    assert.match(toText(authority.revocationList({ revoked: [], thisUpdate: Date.now(), nextUpdate: Date.now() + DAY_MS })), /No Revoked Certificates/);
  });
});

describe('issueAgent', () => {
  it('names the place of the list, begins early and ends when told', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'crl-'));
    const now = Date.UTC(2026, 10, 23);
    const authority = await openAuthority(folder.path, () => now);
    const publicKey = createPublicKey(createPrivateKey(await createPrivateKeyPem()));
    const agentId = parseAgentId(crypto.randomUUID());
    const revocationListAddress = 'https://relay.example:8443/pki/relay.crl';
    const { der, serial } = authority.issueAgent({ workspaceId: WORKSPACE, agentId, publicKey, lifeMs: 90 * DAY_MS, revocationListAddress });
    const certificate = new X509Certificate(der);
    assert.equal(certificate.serialNumber.toLowerCase(), serial);
    assert.equal(certificate.validFromDate.getTime(), now - 5 * 60_000);
    assert.equal(certificate.validToDate.getTime(), now + 90 * DAY_MS);
    const text = execFileSync('openssl', ['x509', '-inform', 'DER', '-text', '-noout'], { input: der }).toString();
    assert.match(text, /CRL Distribution Points[\s\S]*URI:https:\/\/relay\.example:8443\/pki\/relay\.crl/);
  });
});
