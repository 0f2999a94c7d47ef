import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { createSigningRequest, readSigningRequest } from '../../src/authority/signing-request.ts';

const P256 = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** A signing request's DER as OpenSSL makes it. */
function opensslRequest(...args: readonly string[]): Buffer {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'csr-'));
  const out = join(folder.path, 'request.der');
  const key = join(folder.path, 'request.key');
  execFileSync('openssl', ['req', '-new', '-nodes', '-subj', '/CN=any', '-keyout', key, '-out', out, '-outform', 'DER', ...args], { stdio: 'pipe' });
  return readFileSync(out);
}

function reasonOf(der: Uint8Array): string {
  const found = readSigningRequest(der);
  return found.readable ? 'readable' : found.reason;
}

const TAKEN: readonly (readonly [what: string, args: readonly string[], type: string])[] = [
  ['EC P-256', P256, 'ec'],
  ['EC P-384 with SHA-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384'], 'ec'],
  ['RSA 2048', ['-newkey', 'rsa:2048'], 'rsa'],
  ['RSA 4096 with SHA-512', ['-newkey', 'rsa:4096', '-sha512'], 'rsa'],
  ['names of others and extensions', [...P256, '-addext', 'subjectAltName=DNS:other', '-addext', 'basicConstraints=CA:TRUE'], 'ec'],
];

const REFUSED: readonly (readonly [what: string, args: readonly string[], reason: RegExp])[] = [
  ['RSA 1024', ['-newkey', 'rsa:1024'], /1024 bits; use 2048 to 4096/],
  ['RSA with a small exponent', ['-newkey', 'rsa:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'], /exponent 3/],
  ['SHA-1', [...P256, '-sha1'], /signature algorithm 1\.2\.840\.10045\.4\.1/],
  ['RSA-PSS signatures', ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss'], /signature algorithm/],
  ['EC secp256k1', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'], /curve/],
  ['a curve given by its parameters', [...P256, '-pkeyopt', 'ec_param_enc:explicit'], /curve/],
  ['Ed25519', ['-newkey', 'ed25519'], /signature algorithm 1\.3\.101\.112/],
];

describe('readSigningRequest', () => {
  for (const [what, args, type] of TAKEN) {
    it(`takes ${what}`, () => {
      const found = readSigningRequest(opensslRequest(...args));
      assert.ok(found.readable, JSON.stringify(found));
      assert.equal(found.publicKey.asymmetricKeyType, type);
    });
  }

  for (const [what, args, reason] of REFUSED) {
    it(`refuses ${what}`, () => assert.match(reasonOf(opensslRequest(...args)), reason));
  }

  it('refuses a request whose signature another key made', () => {
    const [one, other] = [opensslRequest(...P256), opensslRequest(...P256)];
    const keyAt = one.indexOf(Buffer.from('034200', 'hex'));
    other.copy(one, keyAt, other.indexOf(Buffer.from('034200', 'hex')), keyAt + 68);
    assert.match(reasonOf(one), /not made with the private key/);
  });

  it('refuses garbage, nothing, too much, and depth without end', () => {
    assert.match(reasonOf(randomBytes(300)), /no PKCS#10/);
    assert.match(reasonOf(Buffer.alloc(0)), /0 bytes/);
    assert.match(reasonOf(Buffer.alloc(16 * 1024 + 1, 0x30)), /16385 bytes/);
    assert.match(reasonOf(Buffer.alloc(16 * 1024, Buffer.from([0x30, 0x80]))), /no PKCS#10/);
  });
});

describe('createSigningRequest', () => {
  it('makes a request that OpenSSL and we verify', async () => {
    const privateKey = await createPrivateKeyPem();
    const der = createSigningRequest(privateKey, 'the agent');
    const text = execFileSync('openssl', ['req', '-inform', 'DER', '-verify', '-noout', '-subject'], { input: der, stdio: ['pipe', 'pipe', 'pipe'] });
    assert.match(text.toString(), /CN = the agent/);
    const found = readSigningRequest(der);
    assert.ok(found.readable && found.publicKey.equals(createPublicKey(privateKey)));
  });
});
