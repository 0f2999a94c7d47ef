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

/** A certificate to be, by which the relays of one group know each other: as clients and as servers, under a name that no resolver knows. */
export interface WantedMemberCertificate {
  /** The name, such as `0a1b2c3d4e5f.member.relay.invalid`. */
  readonly host: string;
  readonly publicKey: KeyObject;
  readonly lifeMs: number;
}

/** Issues it; its DER. No agent has a name like this, and none is known by it. */
export function issueMemberCertificate(issuer: Issuer, { host, publicKey, lifeMs }: WantedMemberCertificate, nowMs: number): Buffer {
  return createCertificate({
    subject: [
      ['CN', host],
      ['OU', 'Relay Member'],
      ['O', 'Relay'],
    ],
    issuer: issuer.name,
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + lifeMs),
    publicKey,
    issuerKey: issuer.key,
    authority: false,
    alternativeNames: [host],
    extendedKeyUsage: ['clientAuth', 'serverAuth'],
  });
}
