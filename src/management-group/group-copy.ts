/**
 * All that the management group knows, as one relay hands it to another of the same group: agents, certificates, keys, tokens. What a relay
 * counts by itself (when an agent was last seen, what was taken from it) is not in it.
 *
 * Invariant: a copy is taken over whole, in one transaction, or not at all; memory follows the disk.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Fingerprint } from '../authority/x509.ts';
import { inTransaction } from '../transaction.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { AgentKey } from './agent.ts';
import { keyOf } from './agent-index.ts';
import { AGENT_COLUMNS } from './agent-table.ts';
import type { CopiedKey, EnrolmentKeys } from './enrolment-keys.ts';
import type { Registry } from './registry.ts';
import type { CopiedSecret, SenderSecrets } from './sender-secrets.ts';
import { type CopiedRow, type CopiedTable, changeTo, deleteRows, putRows, readRows, type TableChange } from './table-copy.ts';

const AGENT_KEY = ['workspace_id', 'agent_id'];
/** What each relay counts for itself. */
const OWN_FIGURES = ['last_seen_at', 'solutions', 'received_batches', 'received_bytes'];
const AGENTS: CopiedTable = {
  name: 'agents',
  key: AGENT_KEY,
  columns: AGENT_COLUMNS.filter((column) => !AGENT_KEY.includes(column) && !OWN_FIGURES.includes(column)),
  beginAs: { last_seen_at: 'first_seen_at' },
};
const CERTIFICATES: CopiedTable = {
  name: 'certificates',
  key: ['fingerprint'],
  columns: ['workspace_id', 'agent_id', 'not_before', 'not_after', 'added_at', 'replaced_at'],
};
const OTHERS: Readonly<Record<'tokens' | 'agentKeys' | 'issued', CopiedTable>> = {
  tokens: {
    name: 'one_time_tokens',
    key: ['id'],
    columns: ['workspace_id', 'agent_name', 'hash', 'created_at', 'expires_at', 'redeemed_at', 'revoked_at'],
    blobs: ['hash'],
  },
  agentKeys: { name: 'agent_keys', key: ['workspace_id', 'key_hash'], columns: ['agent_id', 'token_id', 'noted_at'] },
  // When a removed one was first missed is each relay's own note.
  issued: { name: 'issued_certificates', key: ['fingerprint'], columns: ['serial', 'issuer', 'workspace_id', 'agent_id', 'issued_at', 'not_after'] },
};
/** A moved agent keeps what this relay has counted of it. */
const KEEP_FIGURES = `
  UPDATE agents SET (last_seen_at, solutions, received_batches, received_bytes) =
    (SELECT last_seen_at, solutions, received_batches, received_bytes FROM agents AS old WHERE old.workspace_id = ? AND old.agent_id = agents.agent_id)
  WHERE workspace_id = ? AND agent_id = ?`;

export interface GroupCopy {
  readonly agents: readonly CopiedRow[];
  readonly certificates: readonly CopiedRow[];
  readonly tokens: readonly CopiedRow[];
  readonly agentKeys: readonly CopiedRow[];
  readonly issued: readonly CopiedRow[];
  /** Opened: whoever takes them over seals them with keys of its own. */
  readonly enrolmentKeys: readonly CopiedKey[];
  /** Opened, too; undefined from a relay of a release that knows no senders, which leaves them as they are. */
  readonly senderSecrets?: readonly CopiedSecret[] | undefined;
}

/** What taking over a copy changed. */
export interface Adopted {
  readonly agentsPut: number;
  /** Agents that only this relay knew, or that were removed. */
  readonly agentsGone: number;
  /** Certificates that may send no longer. */
  readonly ended: readonly Fingerprint[];
}

export interface GroupCopying {
  takeCopy(): GroupCopy;
  /** Takes over all of a copy, and tells of changes of who may send. Throws what SQLite says of rows that are none. */
  adoptCopy(copy: GroupCopy): Adopted;
}

/** What is sealed in the database. */
export interface SealedParts {
  readonly enrolmentKeys: EnrolmentKeys;
  readonly secrets: SenderSecrets;
}

export function createGroupCopying(database: DatabaseSync, registry: Registry, { enrolmentKeys, secrets }: SealedParts): GroupCopying {
  const keepFigures = database.prepare(KEEP_FIGURES);

  // Certificates after their agents, and away before them.
  const write = (agents: TableChange, certificates: TableChange): void => {
    putRows(database, AGENTS, agents.put);
    for (const { from, to } of movesIn(agents)) keepFigures.run(from.workspaceId, to.workspaceId, to.agentId);
    putRows(database, CERTIFICATES, certificates.put);
    deleteRows(database, CERTIFICATES, certificates.gone);
    deleteRows(database, AGENTS, agents.gone);
  };
  return {
    takeCopy: () => ({
      agents: readRows(database, AGENTS),
      certificates: readRows(database, CERTIFICATES),
      tokens: readRows(database, OTHERS.tokens),
      agentKeys: readRows(database, OTHERS.agentKeys),
      issued: readRows(database, OTHERS.issued),
      enrolmentKeys: enrolmentKeys.copy(),
      senderSecrets: secrets.copy(),
    }),
    adoptCopy(copy) {
      registry.flush();
      const agents = changeTo(database, AGENTS, copy.agents);
      const certificates = changeTo(database, CERTIFICATES, copy.certificates);
      const touched = agentsIn([...agents.put, ...agents.gone, ...certificates.put, ...certificates.gone, ...ownersOf(certificates, registry)]);
      const before = mayingSend(touched, registry);
      inTransaction(database, () => {
        write(agents, certificates);
        enrolmentKeys.adopt(copy.enrolmentKeys);
        if (copy.senderSecrets) secrets.adopt(copy.senderSecrets);
        for (const name of ['tokens', 'agentKeys', 'issued'] as const) {
          const change = changeTo(database, OTHERS[name], copy[name]);
          putRows(database, OTHERS[name], change.put);
          deleteRows(database, OTHERS[name], change.gone);
        }
      });
      registry.reload(touched);
      secrets.reload();
      const now = mayingSend(touched, registry);
      return { agentsPut: agents.put.length, agentsGone: agents.gone.length, ended: [...before].filter((one) => !now.has(one)) };
    },
  };
}

function agentOf(row: CopiedRow): AgentKey {
  return { workspaceId: row['workspace_id'] as WorkspaceId, agentId: row['agent_id'] as AgentId };
}

function agentsIn(rows: readonly CopiedRow[]): AgentKey[] {
  return [...new Map(rows.map(agentOf).map((agent) => [keyOf(agent), agent])).values()];
}

// Whose a certificate was until now.
function ownersOf({ put }: TableChange, registry: Registry): CopiedRow[] {
  return put.flatMap(({ fingerprint }) => {
    const found = registry.find(fingerprint as Fingerprint);
    return found ? [{ workspace_id: found.agent.workspaceId, agent_id: found.agent.agentId }] : [];
  });
}

function movesIn({ put, gone }: TableChange): { readonly from: AgentKey; readonly to: AgentKey }[] {
  const left = new Map(gone.map(agentOf).map((agent) => [agent.agentId, agent]));
  return put.map(agentOf).flatMap((to) => {
    const from = left.get(to.agentId);
    return from ? [{ from, to }] : [];
  });
}

function mayingSend(agents: readonly AgentKey[], registry: Registry): Set<Fingerprint> {
  const approved = agents.filter((agent) => registry.get(agent)?.state === 'approved');
  return new Set(approved.flatMap((agent) => registry.certificatesOf(agent).map(({ fingerprint }) => fingerprint)));
}
