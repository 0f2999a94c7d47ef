import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CertificateProfile, createCertificate, type NameAttribute } from '../../src/authority/certificate.ts';
import { toPem } from '../../src/authority/x509.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const DAY_MS = 86_400_000;
const ROOT: readonly NameAttribute[] = [
  ['CN', 'Test root'],
  ['O', 'Relay'],
];
const LEAF: readonly NameAttribute[] = [['CN', 'relay.example']];

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const KEY_PAIRS: readonly (readonly [name: string, pair: KeyPair])[] = [
  ['EC P-256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['EC P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['RSA 2048', generateKeyPairSync('rsa', { modulusLength: 2048 })],
];
const [, EC] = KEY_PAIRS[0] as readonly [string, KeyPair];

function rootOf(issuer: KeyPair, profile: Partial<CertificateProfile> = {}): Buffer {
  return createCertificate({
    subject: ROOT,
    issuer: ROOT,
    notBefore: new Date(NOW),
    notAfter: new Date(NOW + 3650 * DAY_MS),
    publicKey: issuer.publicKey,
    issuerKey: issuer.privateKey,
    authority: true,
    ...profile,
  });
}

function leafOf(issuer: KeyPair, profile: Partial<CertificateProfile> = {}): Buffer {
  return createCertificate({
    subject: LEAF,
    issuer: ROOT,
    notBefore: new Date(NOW),
    notAfter: new Date(NOW + 90 * DAY_MS),
    publicKey: EC.publicKey,
    issuerKey: issuer.privateKey,
    authority: false,
    alternativeNames: ['relay.example'],
    extendedKeyUsage: ['serverAuth'],
    ...profile,
  });
}

// `files` are written beside each other; `{name}` in an argument becomes the file's path.
function openssl(files: Readonly<Record<string, string>>, args: readonly string[]): string {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'relay-certificate-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder.path, name), content, { mode: 0o600 });
  const paths = args.map((argument) => (argument in files ? join(folder.path, argument) : argument));
  return execFileSync('openssl', paths, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('createCertificate', () => {
  for (const [name, issuer] of KEY_PAIRS) {
    it(`makes a chain from an ${name} root that Node and the openssl command verify`, () => {
      const root = new X509Certificate(rootOf(issuer));
      const leaf = new X509Certificate(leafOf(issuer));

      assert.equal(leaf.checkIssued(root), true);
      assert.equal(leaf.verify(root.publicKey), true);
      assert.equal(root.verify(root.publicKey), true);
      assert.deepEqual([root.ca, leaf.ca], [true, false]);
      const at = String(NOW / 1000 + 60);
      const verify = ['verify', '-x509_strict', '-attime', at, '-purpose', 'sslserver', '-verify_hostname', 'relay.example', '-CAfile', 'root.pem', 'leaf.pem'];
      assert.match(openssl({ 'root.pem': toPem(root.raw), 'leaf.pem': toPem(leaf.raw) }, verify), /leaf\.pem: OK/);
    });

    it(`certifies an ${name} key, which stays the same and gets the key identifier that openssl computes`, () => {
      const { publicKey, privateKey } = issuer;
      const leaf = new X509Certificate(leafOf(EC, { publicKey }));
      assert.equal(leaf.publicKey.equals(publicKey), true);
      assert.equal(leaf.checkPrivateKey(privateKey), true);

      const files = { 'leaf.pem': toPem(leaf.raw), 'leaf.key': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
      const theirs = openssl(files, ['req', '-x509', '-new', '-key', 'leaf.key', '-subj', '/CN=x']);
      const identifier = (pem: string): string => openssl({ 'a.pem': pem }, ['x509', '-in', 'a.pem', '-noout', '-ext', 'subjectKeyIdentifier']);
      assert.equal(identifier(files['leaf.pem']), identifier(theirs));
    });
  }

  it('does not verify against another root of the same name', () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    assert.equal(new X509Certificate(leafOf(EC)).verify(other.publicKey), false);
  });

  it('names DNS names, a wildcard, IPv4 and IPv6 addresses', () => {
    const leaf = new X509Certificate(leafOf(EC, { alternativeNames: ['relay.example', '*.ods.relay.example', '10.0.0.5', '2001:db8::5'] }));
    assert.equal(leaf.subjectAltName, 'DNS:relay.example, DNS:*.ods.relay.example, IP Address:10.0.0.5, IP Address:2001:DB8:0:0:0:0:0:5');
    assert.equal(leaf.checkHost('3f1c2d4e.ods.relay.example'), '*.ods.relay.example');
    assert.equal(leaf.checkHost('other.example'), undefined);
    assert.equal(leaf.checkIP('10.0.0.5'), '10.0.0.5');
    assert.equal(leaf.checkIP('2001:db8:0::5'), '2001:db8:0::5');
    assert.equal(leaf.checkIP('10.0.0.6'), undefined);
  });

  it('names every way of writing an IPv6 address', () => {
    for (const address of ['::', '::1', '2001:db8:0:0:0:0:0:1', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '::ffff:10.0.0.1', '64:ff9b::10.1.2.3']) {
      const leaf = new X509Certificate(leafOf(EC, { alternativeNames: [address] }));
      assert.equal(leaf.checkIP(address), address);
    }
  });

  it('refuses an address with a zone, and says what to do', () => {
    assert.throws(() => leafOf(EC, { alternativeNames: ['fe80::1%eth0'] }), { code: 'relay.authority.bad-name', message: /fe80::1%eth0.*Leave out its zone/ });
  });

  it('leaves the extension out when there are no alternative names', () => {
    const leaf = new X509Certificate(leafOf(EC, { alternativeNames: [] }));
    assert.equal(leaf.subjectAltName, undefined);
  });

  it('gives every certificate a positive serial of 16 bytes, never the same', () => {
    const serials = Array.from({ length: 64 }, () => new X509Certificate(leafOf(EC)).serialNumber);
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{31}$/);
    assert.equal(new Set(serials).size, serials.length);
  });

  it('keeps dates before and after 2050, each in the form RFC 5280 asks for', () => {
    const notBefore = new Date('2049-12-31T23:59:59Z');
    const notAfter = new Date('2050-01-01T00:00:00Z');
    const leaf = new X509Certificate(leafOf(EC, { notBefore, notAfter }));
    assert.deepEqual([leaf.validFromDate, leaf.validToDate], [notBefore, notAfter]);

    const parsed = openssl({ 'leaf.pem': toPem(leaf.raw) }, ['asn1parse', '-in', 'leaf.pem']);
    assert.match(parsed, /UTCTIME\s+:491231235959Z/);
    assert.match(parsed, /GENERALIZEDTIME\s+:20500101000000Z/);
  });

  it('keeps the order of several common names, and letters beyond ASCII', () => {
    const subject: NameAttribute[] = [
      ['CN', 'second'],
      ['CN', 'first'],
      ['OU', 'Überwachung'],
      ['O', '関係'],
    ];
    const leaf = new X509Certificate(leafOf(EC, { subject }));
    assert.deepEqual(leaf.toLegacyObject().subject, { __proto__: null, CN: ['second', 'first'], OU: 'Überwachung', O: '関係' });
  });

  it('says in the certificate what it may be used for', () => {
    const text = (der: Buffer): string =>
      openssl({ 'a.pem': toPem(der) }, ['x509', '-in', 'a.pem', '-noout', '-ext', 'keyUsage,extendedKeyUsage,basicConstraints']);
    const leaf = text(leafOf(EC, { extendedKeyUsage: ['serverAuth', 'clientAuth'] }));
    assert.match(leaf, /CA:FALSE/);
    assert.match(leaf, /Key Usage: critical\s+Digital Signature\n/);
    assert.match(leaf, /TLS Web Server Authentication, TLS Web Client Authentication/);
    const root = text(rootOf(EC));
    assert.match(root, /Basic Constraints: critical\s+CA:TRUE/);
    assert.match(root, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
  });
});
