/**
 * The agents and their certificates. Every change is on disk before the call returns; lookups by fingerprint come from memory, so that a
 * suspension holds from the very next request on and a lookup costs the same for five agents and for five thousand.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { CertificateFacts, Fingerprint } from '../authority/x509.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate, AgentState } from './agent.ts';
import { transaction } from './database.ts';

/** Who an agent says it is when it onboards or reports. */
export interface AgentReport {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly hostName: string;
  readonly operatingSystem: string;
}

export interface Enrolled extends AgentReport {
  readonly certificate: CertificateFacts;
  readonly enrolmentKeyId: string;
  /** The state a machine not seen before gets; one that is known keeps its own. */
  readonly state: AgentState;
  readonly stateReason: string;
}

export interface Registry {
  /** Notes an onboarding. A certificate belongs to one agent for good: false when it is another's. */
  enrol(enrolled: Enrolled): boolean;
  /** Adds the certificate of a renewal and marks the ones before as replaced. False when it is another agent's. */
  addCertificate(agent: Pick<Agent, 'workspaceId' | 'agentId'>, certificate: CertificateFacts): boolean;
  find(fingerprint: Fingerprint): { readonly agent: Agent; readonly certificate: AgentCertificate } | undefined;
  get(agent: Pick<Agent, 'workspaceId' | 'agentId'>): Agent | undefined;
  list(): Agent[];
  countByState(): Readonly<Record<AgentState, number>>;
  certificatesOf(agent: Pick<Agent, 'workspaceId' | 'agentId'>): AgentCertificate[];
  /** Undefined when there is no such agent. */
  setState(workspaceId: WorkspaceId, agentId: AgentId, state: AgentState, reason: string): Agent | undefined;
  /** Notes what a known agent says of itself. */
  update(report: AgentReport): void;
  /** Notes that it was heard of now; on disk with the next `flush`. */
  touch(agent: Pick<Agent, 'workspaceId' | 'agentId'>): void;
  flush(): void;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function createRegistry(database: DatabaseSync, now: () => number): Registry {
  const agents = new Map<string, Mutable<Agent>>();
  const certificates = new Map<Fingerprint, Mutable<AgentCertificate>>();
  const touched = new Set<Mutable<Agent>>();
  const saveAgent = database.prepare(`
    INSERT INTO agents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET host_name = excluded.host_name, operating_system = excluded.operating_system, state = excluded.state,
      state_reason = excluded.state_reason, state_since = excluded.state_since, enrolment_key_id = excluded.enrolment_key_id, last_seen_at = excluded.last_seen_at`);
  const saveCertificate = database.prepare(
    'INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET replaced_at = excluded.replaced_at',
  );
  load();

  function load(): void {
    for (const row of database.prepare('SELECT * FROM agents').all() as unknown as AgentRow[]) agents.set(keyOf(agentOf(row)), agentOf(row));
    for (const row of database.prepare('SELECT * FROM certificates').all() as unknown as CertificateRow[])
      certificates.set(row.fingerprint, certificateOf(row));
  }

  function save(agent: Agent): void {
    saveAgent.run(
      agent.workspaceId,
      agent.agentId,
      agent.hostName,
      agent.operatingSystem,
      agent.state,
      agent.stateReason,
      agent.stateSince,
      agent.enrolmentKeyId,
      agent.firstSeenAt,
      agent.lastSeenAt,
    );
    agents.set(keyOf(agent), agent);
  }

  function saveOne(certificate: AgentCertificate): void {
    const { fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt } = certificate;
    saveCertificate.run(fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt ?? null);
    certificates.set(fingerprint, certificate);
  }

  function certificatesOf(agent: Pick<Agent, 'workspaceId' | 'agentId'>): AgentCertificate[] {
    return [...certificates.values()].filter((one) => one.workspaceId === agent.workspaceId && one.agentId === agent.agentId);
  }

  function isAnothers(fingerprint: Fingerprint, agent: Pick<Agent, 'workspaceId' | 'agentId'>): boolean {
    const known = certificates.get(fingerprint);
    return known !== undefined && (known.workspaceId !== agent.workspaceId || known.agentId !== agent.agentId);
  }

  function makeCurrent({ workspaceId, agentId }: Pick<Agent, 'workspaceId' | 'agentId'>, facts: CertificateFacts): void {
    for (const other of certificatesOf({ workspaceId, agentId })) {
      if (other.fingerprint !== facts.fingerprint && other.replacedAt === undefined) saveOne({ ...other, replacedAt: now() });
    }
    const { fingerprint, notBefore, notAfter } = facts;
    const addedAt = certificates.get(fingerprint)?.addedAt ?? now();
    saveOne({ fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt: undefined });
  }

  return {
    enrol(enrolled) {
      const { certificate, state, stateReason, ...report } = enrolled;
      if (isAnothers(certificate.fingerprint, report)) return false;
      const known = agents.get(keyOf(report));
      const kept = known ?? { state, stateReason, stateSince: now(), firstSeenAt: now() };
      transaction(database, () => {
        save({ ...kept, ...report, lastSeenAt: now() });
        makeCurrent(report, certificate);
      });
      return true;
    },
    addCertificate(agent, certificate) {
      if (isAnothers(certificate.fingerprint, agent)) return false;
      transaction(database, () => makeCurrent(agent, certificate));
      return true;
    },
    find(fingerprint) {
      const certificate = certificates.get(fingerprint);
      const agent = certificate && agents.get(keyOf(certificate));
      return agent && certificate && { agent, certificate };
    },
    get: (agent) => agents.get(keyOf(agent)),
    list: () => [...agents.values()].sort((a, b) => a.hostName.localeCompare(b.hostName) || a.agentId.localeCompare(b.agentId)),
    countByState() {
      const counts = { pending: 0, approved: 0, suspended: 0 };
      for (const agent of agents.values()) counts[agent.state] += 1;
      return counts;
    },
    certificatesOf,
    setState(workspaceId, agentId, state, stateReason) {
      const agent = agents.get(keyOf({ workspaceId, agentId }));
      if (!agent) return undefined;
      const changed = { ...agent, state, stateReason, stateSince: now() };
      save(changed);
      return changed;
    },
    update(report) {
      const agent = agents.get(keyOf(report));
      if (!agent) return;
      if (agent.hostName === report.hostName && agent.operatingSystem === report.operatingSystem) return;
      save({ ...agent, ...report });
    },
    touch(agent) {
      const known = agents.get(keyOf(agent));
      if (!known) return;
      known.lastSeenAt = now();
      touched.add(known);
    },
    flush() {
      if (touched.size === 0) return;
      transaction(database, () => {
        for (const { workspaceId, agentId } of touched) {
          const agent = agents.get(keyOf({ workspaceId, agentId }));
          if (agent) save(agent);
        }
      });
      touched.clear();
    },
  };
}

interface AgentRow {
  workspace_id: WorkspaceId;
  agent_id: AgentId;
  host_name: string;
  operating_system: string;
  state: AgentState;
  state_reason: string;
  state_since: number;
  enrolment_key_id: string;
  first_seen_at: number;
  last_seen_at: number;
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

function agentOf(row: AgentRow): Agent {
  return {
    workspaceId: row.workspace_id,
    agentId: row.agent_id,
    hostName: row.host_name,
    operatingSystem: row.operating_system,
    state: row.state,
    stateReason: row.state_reason,
    stateSince: row.state_since,
    enrolmentKeyId: row.enrolment_key_id,
    firstSeenAt: row.first_seen_at,
    lastSeenAt: row.last_seen_at,
  };
}

function certificateOf(row: CertificateRow): AgentCertificate {
  const { fingerprint, workspace_id, agent_id, not_before, not_after, added_at, replaced_at } = row;
  return {
    fingerprint,
    workspaceId: workspace_id,
    agentId: agent_id,
    notBefore: not_before,
    notAfter: not_after,
    addedAt: added_at,
    replacedAt: replaced_at ?? undefined,
  };
}

function keyOf(agent: Pick<Agent, 'workspaceId' | 'agentId'>): string {
  return `${agent.workspaceId} ${agent.agentId}`;
}
