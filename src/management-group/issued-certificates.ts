/** The certificates that the authority issued to agents, as long as they last: which of them are revoked, and how many an agent had lately. */
import type { DatabaseSync } from 'node:sqlite';
import type { Fingerprint } from '../authority/x509.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate } from './agent.ts';
import type { Registry } from './registry.ts';

export interface IssuedCertificateRecord {
  readonly fingerprint: Fingerprint;
  /** Hexadecimal. */
  readonly serial: string;
  /** Fingerprint of the root it was issued under. */
  readonly issuer: Fingerprint;
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** Milliseconds since 1970, as all below. */
  readonly notAfter: number;
}

/** Why a certificate is not good any more though its time is not over. `held`: its agent is suspended, and may come back. */
export interface Revocation {
  readonly serial: string;
  readonly at: number;
  readonly reason: 'superseded' | 'removed' | 'held';
}

export interface IssuedCertificates {
  note(issued: IssuedCertificateRecord): void;
  /** How many an agent got since a time. */
  countSince(agent: Pick<Agent, 'workspaceId' | 'agentId'>, since: number): number;
  /** Those of a root that are revoked. */
  revoked(issuer: Fingerprint, oldCertificateGraceMs: number): Revocation[];
}

interface Row {
  fingerprint: Fingerprint;
  serial: string;
  removed_at: number | null;
}

export function createIssuedCertificates(database: DatabaseSync, registry: Pick<Registry, 'find'>, now: () => number): IssuedCertificates {
  const insert = database.prepare('INSERT OR REPLACE INTO issued_certificates VALUES (?, ?, ?, ?, ?, ?, ?, NULL)');
  const sweep = database.prepare('DELETE FROM issued_certificates WHERE not_after < ?');
  const count = database.prepare('SELECT count(*) AS certificates FROM issued_certificates WHERE workspace_id = ? AND agent_id = ? AND issued_at >= ?');
  const ofIssuer = database.prepare('SELECT fingerprint, serial, removed_at FROM issued_certificates WHERE issuer = ? AND not_after >= ? ORDER BY serial');
  const markRemoved = database.prepare('UPDATE issued_certificates SET removed_at = ? WHERE fingerprint = ?');

  // A certificate that is gone from the registry stays revoked for good, from when that was first seen.
  const removedAt = (row: Row): number => {
    if (row.removed_at !== null) return row.removed_at;
    markRemoved.run(now(), row.fingerprint);
    return now();
  };

  return {
    note({ fingerprint, serial, issuer, workspaceId, agentId, notAfter }) {
      sweep.run(now());
      insert.run(fingerprint, serial, issuer, workspaceId, agentId, now(), notAfter);
    },
    countSince: ({ workspaceId, agentId }, since) => (count.get(workspaceId, agentId, since) as unknown as { certificates: number }).certificates,
    revoked(issuer, graceMs) {
      const rows = ofIssuer.all(issuer, now()) as unknown as Row[];
      return rows.flatMap((row) => {
        const found = row.removed_at === null ? registry.find(row.fingerprint) : undefined;
        const revocation = found ? revocationOf(found, now(), graceMs) : ({ at: removedAt(row), reason: 'removed' } as const);
        return revocation ? [{ serial: row.serial, ...revocation }] : [];
      });
    },
  };
}

/** Whether a certificate that is in the registry counts as revoked. */
export function revocationOf(
  { agent, certificate }: { readonly agent: Pick<Agent, 'state' | 'stateSince'>; readonly certificate: Pick<AgentCertificate, 'replacedAt'> },
  now: number,
  graceMs: number,
): Omit<Revocation, 'serial'> | undefined {
  const { replacedAt } = certificate;
  if (replacedAt !== undefined && now > replacedAt + graceMs) return { at: replacedAt, reason: 'superseded' };
  return agent.state === 'suspended' ? { at: agent.stateSince, reason: 'held' } : undefined;
}
