import { createPrivateKey, createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import { agentSubject } from './agent-certificates.ts';
import { createCertificate } from './certificate.ts';
import { toPem } from './x509.ts';

const generate = promisify(generateKeyPair);
const DAY_MS = 86_400_000;
const CLOCK_SKEW_MS = 5 * 60_000;

/** A certificate and its private key, both PEM. */
export interface Identity {
  readonly certificate: string;
  readonly privateKey: string;
}

/** Makes an EC P-256 key pair; the private key as PKCS#8 PEM. */
export async function createPrivateKeyPem(): Promise<string> {
  const { privateKey } = await generate('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return privateKey;
}

/**
 * The self-signed client certificate of the OMS protocol (§1.4): subject CN=workspace, CN=agent, in this order. Ours has an EC P-256 key,
 * and begins five minutes early for clocks that differ.
 */
export async function createAgentIdentity(workspaceId: WorkspaceId, agentId: AgentId, nowMs: number, days: number): Promise<Identity> {
  const privateKey = await createPrivateKeyPem();
  const key = createPrivateKey(privateKey);
  const subject = agentSubject(workspaceId, agentId);
  const der = createCertificate({
    subject,
    issuer: subject,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
    publicKey: createPublicKey(key),
    issuerKey: key,
    authority: false,
    extendedKeyUsage: ['clientAuth'],
  });
  return { certificate: toPem(der), privateKey };
}
