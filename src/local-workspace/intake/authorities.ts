/**
 * The management groups whose agents may send straight to one workspace. A relay that is registered here says which roots its agents'
 * certificates come from and which agents it lets send; their certificates then need no registration of their own. The relay decides: an
 * agent that it no longer names is refused from the next request on.
 */
import { X509Certificate } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type AuthorityStatement, readAuthorityStatement, writeAuthorityStatement } from '../../oms-protocol/authority-statement.ts';
import { type AgentId, parseAgentId, readAgentId } from '../../workspace/workspace-id.ts';
import type { Peer } from './peer.ts';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** What a certificate is worth that is not registered itself. */
export type Standing =
  | { readonly standing: 'accepted'; readonly agentId: AgentId }
  /** A root that is known here signed it, but no relay lets this agent send. */
  | { readonly standing: 'not-let-in'; readonly agentId: AgentId }
  | { readonly standing: 'unknown' };

export interface Authorities {
  /** Takes the place of what this relay said before; durable when it returns. False, and nothing is changed, when a root is none. */
  put(relay: AgentId, statement: AuthorityStatement, now: number): boolean;
  /** Whose certificate this is by its issuer; when it ends is for the caller to judge. */
  judge(peer: Peer, now: number): Standing;
}

interface Known {
  readonly roots: readonly X509Certificate[];
  readonly agents: ReadonlySet<AgentId>;
}

/** Kept in the workspace's own database, so that no other workspace can know them. */
export function openAuthorities(database: DatabaseSync): Authorities {
  const save = database.prepare(`
    INSERT INTO authorities (relay_id, statement, told_at) VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET statement = excluded.statement, told_at = excluded.told_at`);
  const known = new Map<AgentId, Known>();
  /** Which relays' roots signed a connection's certificate: a signature is checked once a connection, and again when the roots have changed. */
  let issuers = new WeakMap<Peer, readonly AgentId[]>();

  for (const { relayId, statement } of database.prepare('SELECT relay_id AS relayId, statement FROM authorities').all() as Record<string, string>[]) {
    const kept = readAuthorityStatement(Buffer.from(statement ?? ''));
    const read = kept && knownOf(kept);
    if (read) known.set(parseAgentId(relayId ?? ''), read);
  }

  const issuersOf = (peer: Peer, now: number): readonly AgentId[] => {
    const before = issuers.get(peer);
    if (before) return before;
    const certificate = new X509Certificate(peer.certificate);
    const found = [...known].filter(([, { roots }]) => roots.some((root) => isIssued(certificate, root, now))).map(([relay]) => relay);
    issuers.set(peer, found);
    return found;
  };

  return {
    put(relay, statement, now) {
      const read = knownOf(statement);
      if (!read) return false;
      save.run(relay, writeAuthorityStatement(statement), new Date(now).toISOString());
      known.set(relay, read);
      issuers = new WeakMap();
      return true;
    },
    judge(peer, now) {
      const agentId = readAgentId(peer.commonNames[1] ?? '');
      const relays = agentId ? issuersOf(peer, now) : [];
      if (!agentId || relays.length === 0) return { standing: 'unknown' };
      return { standing: relays.some((relay) => known.get(relay)?.agents.has(agentId)) ? 'accepted' : 'not-let-in', agentId };
    },
  };
}

function knownOf({ roots, agents }: AuthorityStatement): Known | undefined {
  const read = roots.map(readRoot).filter((root) => root !== undefined);
  return read.length === roots.length ? { roots: read, agents: new Set(agents) } : undefined;
}

function readRoot(pem: string): X509Certificate | undefined {
  try {
    const root = new X509Certificate(pem);
    return root.ca && root.checkIssued(root) && root.verify(root.publicKey) ? root : undefined;
  } catch {
    return undefined;
  }
}

// RFC 5280 §6.1, for a chain of two: names, signature, the root's own time, and a leaf that is made for clients.
function isIssued(certificate: X509Certificate, root: X509Certificate, now: number): boolean {
  if (certificate.ca || now > root.validToDate.getTime()) return false;
  if (certificate.keyUsage && !certificate.keyUsage.includes(CLIENT_AUTH)) return false;
  return certificate.checkIssued(root) && certificate.verify(root.publicKey);
}
