import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAgentIdentity } from '../../src/authority/agent-identity.ts';
import { readCertsOnly, writeCertsOnly } from '../../src/authority/certs-only.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { parseAgentId, parseWorkspaceId } from '../../src/workspace/workspace-id.ts';

const WORKSPACE = parseWorkspaceId('11111111-1111-4111-8111-111111111111');

async function certificate(): Promise<Buffer> {
  return fromPem((await createAgentIdentity(WORKSPACE, parseAgentId(crypto.randomUUID()), Date.now(), 90)).certificate);
}

describe('certs-only', () => {
  it('gives back the certificates that were put in, to the byte', async () => {
    const certificates = [await certificate(), await certificate()];
    assert.deepEqual(readCertsOnly(writeCertsOnly(certificates)), certificates);
  });

  it('is read by OpenSSL', async () => {
    const der = writeCertsOnly([await certificate()]);
    const text = execFileSync('openssl', ['pkcs7', '-inform', 'DER', '-print_certs', '-noout'], { input: der }).toString();
    assert.match(text, new RegExp(`subject=CN = ${WORKSPACE}`));
  });

  it('says that anything else is none', () => {
    for (const der of [Buffer.alloc(0), randomBytes(500), Buffer.from('3000', 'hex'), writeCertsOnly([]), Buffer.alloc(70_000, 0x30)]) {
      assert.equal(readCertsOnly(der), undefined);
    }
  });
});
