import { type KeyObject, X509Certificate } from 'node:crypto';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import { createCertificate, type NameAttribute } from './certificate.ts';

/** Clocks differ: a certificate begins this much early, in milliseconds. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** A root that signs now. */
export interface Issuer {
  readonly name: readonly NameAttribute[];
  readonly key: KeyObject;
}

/** An agent's certificate to be. All of it but the key is from the agent's record. */
export interface WantedAgentCertificate {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly publicKey: KeyObject;
  readonly lifeMs: number;
  /** Where the list of revoked certificates is, if agents' certificates name it. */
  readonly revocationListAddress?: string | undefined;
}

export interface IssuedCertificate {
  readonly der: Buffer;
  /** Hexadecimal, without a sign. */
  readonly serial: string;
}

/** The subject of an agent's certificate: CN=workspace, CN=agent, in the order of the OMS protocol (§1.4). */
export function agentSubject(workspaceId: WorkspaceId, agentId: AgentId): readonly NameAttribute[] {
  return [
    ['CN', workspaceId],
    ['CN', agentId],
    ['OU', 'Relay Agent'],
    ['O', 'Relay'],
  ];
}

/** Issues an agent's certificate, for clients only. */
export function issueAgentCertificate(issuer: Issuer, wanted: WantedAgentCertificate, nowMs: number): IssuedCertificate {
  const der = createCertificate({
    subject: agentSubject(wanted.workspaceId, wanted.agentId),
    issuer: issuer.name,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + wanted.lifeMs),
    publicKey: wanted.publicKey,
    issuerKey: issuer.key,
    authority: false,
    extendedKeyUsage: ['clientAuth'],
    revocationListAddress: wanted.revocationListAddress,
  });
  return { der, serial: new X509Certificate(der).serialNumber.toLowerCase() };
}
