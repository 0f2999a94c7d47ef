import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAgentIdentity, createPrivateKeyPem } from '../../src/authority/agent-identity.ts';
import { fromPem, readCertificate } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const WORKSPACE = parseWorkspaceId('3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f');
const AGENT = parseAgentId('7d54bebf-7428-4660-a7e5-ba4b04f1144f');

describe('createAgentIdentity', () => {
  it('names the workspace and then the agent, for the days asked for, from five minutes ago', async () => {
    const identity = await createAgentIdentity(WORKSPACE, AGENT, NOW, 90);
    const facts = readCertificate(fromPem(identity.certificate));
    assert.deepEqual(facts?.commonNames, [WORKSPACE, AGENT]);
    assert.equal(facts.notBefore, NOW - 5 * 60_000);
    assert.equal(facts.notAfter, NOW + 90 * 86_400_000);
  });

  it('is signed by its own key, which comes with it', async () => {
    const identity = await createAgentIdentity(WORKSPACE, AGENT, NOW, 90);
    const certificate = new X509Certificate(identity.certificate);
    assert.equal(certificate.verify(certificate.publicKey), true);
    assert.equal(certificate.issuer, certificate.subject);
    assert.equal(certificate.checkPrivateKey(createPrivateKey(identity.privateKey)), true);
    assert.equal(certificate.ca, false);
  });

  it('has a new key each time', async () => {
    const [first, second] = await Promise.all([createAgentIdentity(WORKSPACE, AGENT, NOW, 90), createAgentIdentity(WORKSPACE, AGENT, NOW, 90)]);
    assert.notEqual(first.privateKey, second.privateKey);
    assert.notEqual(readCertificate(fromPem(first.certificate))?.fingerprint, readCertificate(fromPem(second.certificate))?.fingerprint);
  });
});

describe('createPrivateKeyPem', () => {
  it('makes an EC P-256 key', async () => {
    const key = createPrivateKey(await createPrivateKeyPem());
    assert.equal(key.asymmetricKeyType, 'ec');
    assert.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  });
});
