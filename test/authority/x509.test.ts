import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { createCertificate, type NameAttribute } from '../../src/authority/certificate.ts';
import { fingerprintOf, fromPem, readCertificate, toPem } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';
import { CAPTURED_AGENT, CAPTURED_WORKSPACE, certificateIn, readCapture } from '../support/oms-captures.ts';

// Mulberry32: the same numbers from 0 to 1 in every run.
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const KEYS = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function named(...subject: NameAttribute[]): Buffer {
  const dates = { notBefore: new Date(0), notAfter: new Date(1000) };
  return createCertificate({ subject, issuer: [], ...dates, publicKey: KEYS.publicKey, issuerKey: KEYS.privateKey, authority: false });
}

// Either a refusal, or facts that belong to exactly these bytes.
function assertHarmless(der: Buffer): void {
  const facts = readCertificate(der);
  if (!facts) return;
  assert.equal(facts.fingerprint, fingerprintOf(der));
  assert.ok(facts.commonNames.every((name) => typeof name === 'string'));
  assert.ok(Number.isFinite(facts.notBefore) && Number.isFinite(facts.notAfter));
}

describe('readCertificate', () => {
  for (const number of ['001', '005', '006']) {
    it(`reads the certificate in capture ${number} of the Linux agent`, () => {
      const capture = readCapture(number);
      const facts = readCertificate(certificateIn(capture));
      assert.deepEqual(facts?.commonNames, [CAPTURED_WORKSPACE, CAPTURED_AGENT]);
      assert.equal(facts.notAfter - facts.notBefore, 365 * 86_400_000);
    });
  }

  it('gives the facts that TLS gave of the same certificate', () => {
    for (const number of ['001', '002', '004', '006']) {
      const capture = readCapture(number);
      assert.deepEqual(readCertificate(certificateIn(capture)), capture.tls.clientCertificate);
    }
  });

  it('refuses bytes behind the certificate', () => {
    const der = certificateIn(readCapture('001'));
    assert.equal(readCertificate(Buffer.concat([der, Buffer.from([0])])), undefined);
    assert.equal(readCertificate(Buffer.concat([der, der])), undefined);
  });

  it('refuses PEM, nothing, and every cut of a certificate', () => {
    const der = certificateIn(readCapture('001'));
    assert.equal(readCertificate(Buffer.from(toPem(der))), undefined);
    for (let length = 0; length < der.length; length += 7) assert.equal(readCertificate(der.subarray(0, length)), undefined);
  });

  it('refuses a certificate larger than 16 KiB', () => {
    const sized = (bytes: number): Buffer => named(['CN', 'x'.repeat(bytes)]);
    assert.notEqual(readCertificate(sized(15_000)), undefined);
    assert.equal(readCertificate(sized(16_384)), undefined);
  });

  it('reads one whose public key is malformed, which crashes toLegacyObject', () => {
    const der = Buffer.from(certificateIn(readCapture('001')));
    const rsaPublicKey = der.indexOf(Buffer.from('003082010a0282', 'hex')) + 1;
    assert.ok(rsaPublicKey > 0);
    der[rsaPublicKey] = 0x31;
    assert.deepEqual(readCertificate(der)?.commonNames, [CAPTURED_WORKSPACE, CAPTURED_AGENT]);
  });

  it('does not take a name for two, whatever is in it', () => {
    assert.deepEqual(readCertificate(named(['CN', 'a\nCN=b'], ['O', 'o\nCN=c']))?.commonNames, ['a\\0ACN=b']);
    assert.deepEqual(readCertificate(named(['OU', 'CN=a'], ['CN', 'b + CN=c']))?.commonNames, ['b \\+ CN=c']);
    assert.deepEqual(readCertificate(named(['O', 'no common name']))?.commonNames, []);
    assert.deepEqual(readCertificate(named())?.commonNames, []);
  });

  it('never throws on random bytes', () => {
    const random = seeded(1);
    for (let round = 0; round < 300; round += 1) {
      const bytes = Buffer.from(Array.from({ length: Math.floor(random() * 600) }, () => random() * 256));
      // Half of them look like the beginning of a certificate.
      if (round % 2 === 0 && bytes.length > 4) bytes.set([0x30, 0x82, (bytes.length - 4) >> 8, (bytes.length - 4) & 0xff]);
      assertHarmless(bytes);
    }
  });

  it('never throws on a certificate with changed bytes', () => {
    const random = seeded(2);
    const originals = ['001', '005'].map((number) => certificateIn(readCapture(number)));
    for (let round = 0; round < 600; round += 1) {
      const bytes = Buffer.from(originals[round % originals.length] as Buffer);
      const changes = 1 + Math.floor(random() * 3);
      for (let change = 0; change < changes; change += 1) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
      assertHarmless(bytes);
    }
  });

  it('never gives the same names under another fingerprint for lax DER', () => {
    const der = certificateIn(readCapture('001'));
    // The outer length with one byte more than it needs.
    const lax = Buffer.concat([Buffer.from([0x30, 0x83, 0x00]), der.subarray(2)]);
    assert.equal(readCertificate(lax), undefined);
  });
});

describe('toPem and fromPem', () => {
  it('are each other’s inverse', async () => {
    const { certificate } = await createAgentIdentity(parseWorkspaceId(CAPTURED_WORKSPACE), parseAgentId(CAPTURED_AGENT), 0, 1);
    assert.equal(toPem(fromPem(certificate)), certificate);
    const der = certificateIn(readCapture('001'));
    assert.deepEqual(fromPem(toPem(der)), der);
  });

  it('throw on a text without a certificate', () => {
    assert.throws(() => fromPem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'));
    assert.throws(() => fromPem(''));
  });
});
