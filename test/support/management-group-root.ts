/** A management group's root that signs agents' certificates, without the rest of an authority. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { issueAgentCertificate } from '../../src/authority/agent-certificates.ts';
import { createPrivateKeyPem, type Identity } from '../../src/authority/agent-identity.ts';
import { createCertificate, type NameAttribute } from '../../src/authority/certificate.ts';
import { toPem } from '../../src/authority/x509.ts';
import type { AgentId, WorkspaceId } from '../../src/workspace/workspace-id.ts';

const DAY_MS = 86_400_000;

export interface Root {
  readonly pem: string;
  /** A new key pair and its certificate, for 90 days. */
  issue(workspaceId: WorkspaceId, agentId: AgentId, nowMs?: number): Promise<Identity>;
}

export async function createRoot(name = 'Relay root of a test'): Promise<Root> {
  const key = createPrivateKey(await createPrivateKeyPem());
  const subject: NameAttribute[] = [['CN', name]];
  const life = { notBefore: new Date(Date.now() - 400 * DAY_MS), notAfter: new Date(Date.now() + 400 * DAY_MS) };
  const pem = toPem(createCertificate({ subject, issuer: subject, ...life, publicKey: createPublicKey(key), issuerKey: key, authority: true }));
  return {
    pem,
    async issue(workspaceId, agentId, nowMs = Date.now()) {
      const privateKey = await createPrivateKeyPem();
      const wanted = { workspaceId, agentId, publicKey: createPublicKey(createPrivateKey(privateKey)), lifeMs: 90 * DAY_MS };
      return { certificate: toPem(issueAgentCertificate({ name: subject, key }, wanted, nowMs).der), privateKey };
    },
  };
}
