/** Agents and their certificates as the file keeps them. */
import type { DatabaseSync } from 'node:sqlite';
import type { Fingerprint } from '../authority/x509.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate, AgentKey, AgentState } from './agent.ts';

export interface AgentTable {
  agents(): Agent[];
  certificates(): AgentCertificate[];
  /** One agent, and its certificates. */
  one(agent: AgentKey): { readonly agent: Agent | undefined; readonly certificates: readonly AgentCertificate[] };
  save(agent: Agent): void;
  saveCertificate(certificate: AgentCertificate): void;
  /** The certificates go with it. */
  delete(agent: AgentKey): void;
}

interface AgentRow {
  workspace_id: WorkspaceId;
  agent_id: AgentId;
  host_name: string;
  display_name: string | null;
  operating_system: string;
  version: string;
  state: AgentState;
  state_reason: string;
  state_since: number;
  enrolment_key_id: string;
  first_seen_at: number;
  last_seen_at: number;
  solutions: string;
  received_batches: number;
  received_bytes: number;
  moved_from: WorkspaceId | null;
}

interface CertificateRow {
  fingerprint: Fingerprint;
  workspace_id: WorkspaceId;
  agent_id: AgentId;
  not_before: number;
  not_after: number;
  added_at: number;
  replaced_at: number | null;
}

/** What is kept of an agent, in the order of the table. */
export const AGENT_COLUMNS: readonly (keyof AgentRow)[] = [
  'workspace_id',
  'agent_id',
  'host_name',
  'display_name',
  'operating_system',
  'version',
  'state',
  'state_reason',
  'state_since',
  'enrolment_key_id',
  'first_seen_at',
  'last_seen_at',
  'solutions',
  'received_batches',
  'received_bytes',
  'moved_from',
];

export function createAgentTable(database: DatabaseSync): AgentTable {
  const changes = AGENT_COLUMNS.slice(2).map((name) => `${name} = excluded.${name}`);
  const save = database.prepare(
    `INSERT INTO agents (${AGENT_COLUMNS.join(', ')}) VALUES (${AGENT_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO UPDATE SET ${changes.join(', ')}`,
  );
  const saveCertificate = database.prepare(`
    INSERT INTO certificates (fingerprint, workspace_id, agent_id, not_before, not_after, added_at, replaced_at) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET workspace_id = excluded.workspace_id, replaced_at = excluded.replaced_at`);
  const deleteCertificates = database.prepare('DELETE FROM certificates WHERE workspace_id = ? AND agent_id = ?');
  const oneAgent = database.prepare('SELECT * FROM agents WHERE workspace_id = ? AND agent_id = ?');
  const certificatesOfOne = database.prepare('SELECT * FROM certificates WHERE workspace_id = ? AND agent_id = ?');
  const deleteAgent = database.prepare('DELETE FROM agents WHERE workspace_id = ? AND agent_id = ?');
  return {
    agents: () => (database.prepare('SELECT * FROM agents').all() as unknown as AgentRow[]).map(agentOf),
    certificates: () => (database.prepare('SELECT * FROM certificates').all() as unknown as CertificateRow[]).map(certificateOf),
    one({ workspaceId, agentId }) {
      const row = oneAgent.get(workspaceId, agentId) as unknown as AgentRow | undefined;
      return { agent: row && agentOf(row), certificates: (certificatesOfOne.all(workspaceId, agentId) as unknown as CertificateRow[]).map(certificateOf) };
    },
    save(agent) {
      const row = rowOf(agent);
      save.run(...AGENT_COLUMNS.map((name) => row[name]));
    },
    saveCertificate({ fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt }) {
      saveCertificate.run(fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt ?? null);
    },
    delete({ workspaceId, agentId }) {
      deleteCertificates.run(workspaceId, agentId);
      deleteAgent.run(workspaceId, agentId);
    },
  };
}

function rowOf(agent: Agent): AgentRow {
  return {
    workspace_id: agent.workspaceId,
    agent_id: agent.agentId,
    host_name: agent.hostName,
    display_name: agent.displayName ?? null,
    operating_system: agent.operatingSystem,
    version: agent.version,
    state: agent.state,
    state_reason: agent.stateReason,
    state_since: agent.stateSince,
    enrolment_key_id: agent.enrolmentKeyId,
    first_seen_at: agent.firstSeenAt,
    last_seen_at: agent.lastSeenAt,
    solutions: JSON.stringify(agent.solutions),
    received_batches: agent.receivedBatches,
    received_bytes: agent.receivedBytes,
    moved_from: agent.movedFrom ?? null,
  };
}

function agentOf(row: AgentRow): Agent {
  return {
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    hostName: row.host_name,
    displayName: row.display_name ?? undefined,
    operatingSystem: row.operating_system,
    version: row.version,
    state: row.state,
    stateReason: row.state_reason,
    stateSince: row.state_since,
    enrolmentKeyId: row.enrolment_key_id,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
    solutions: JSON.parse(row.solutions) as Record<string, number>,
    receivedBatches: row.received_batches,
    receivedBytes: row.received_bytes,
    movedFrom: row.moved_from ?? undefined,
  };
}

function certificateOf(row: CertificateRow): AgentCertificate {
  return {
    fingerprint: row.fingerprint,
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    notBefore: row.not_before,
    notAfter: row.not_after,
    addedAt: row.added_at,
    replacedAt: row.replaced_at ?? undefined,
  };
}
