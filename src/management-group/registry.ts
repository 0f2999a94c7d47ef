/**
 * The agents and their certificates. Every change is on disk before the call returns; lookups by fingerprint come from memory, so that a
 * suspension holds from the very next request on and a lookup costs the same for five agents and for five thousand.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { CertificateFacts, Fingerprint } from '../authority/x509.ts';
import { inTransaction } from '../transaction.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate, AgentKey, AgentState } from './agent.ts';
import { createAgentIndex, keyOf } from './agent-index.ts';
import { createAgentTable } from './agent-table.ts';
import { withBatch } from './received.ts';

/** Who an agent says it is when it onboards or reports. */
export interface AgentReport {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly hostName: string;
  readonly operatingSystem: string;
  /** Name and version of its software; undefined when it does not say. */
  readonly version?: string | undefined;
}

export interface Enrolled extends AgentReport {
  /** Undefined while it waits for the certificate that it asked for. */
  readonly certificate: CertificateFacts | undefined;
  readonly enrolmentKeyId: string;
  /** The state a machine not seen before gets; one that is known keeps its own. */
  readonly state: AgentState;
  readonly stateReason: string;
}

/** What became of a move. `taken`: the other workspace has an agent with this id already. */
export type Move = { readonly outcome: 'moved'; readonly agent: Agent } | { readonly outcome: 'unknown' | 'taken' };

export interface Registry {
  /** Notes an onboarding. A certificate belongs to one agent for good: false when it is another's. */
  enrol(enrolled: Enrolled): boolean;
  /** Adds the certificate of a renewal and marks the ones before as replaced. False when it is another agent's. */
  addCertificate(agent: AgentKey, certificate: CertificateFacts): boolean;
  find(fingerprint: Fingerprint): { readonly agent: Agent; readonly certificate: AgentCertificate } | undefined;
  get(agent: AgentKey): Agent | undefined;
  /** All of them by host name. */
  list(): Agent[];
  /** All of them in no order, which costs much less. */
  all(): Agent[];
  /** Of one workspace, or of all. */
  countByState(workspaceId?: WorkspaceId): Readonly<Record<AgentState, number>>;
  certificatesOf(agent: AgentKey): AgentCertificate[];
  /** Undefined when there is no such agent, as for the three below. */
  setState(workspaceId: WorkspaceId, agentId: AgentId, state: AgentState, reason: string): Agent | undefined;
  /** Gives it a display name, or takes that away. */
  rename(agent: AgentKey, displayName: string | undefined): Agent | undefined;
  /** Forgets it and its certificates; gives what it was. */
  remove(agent: AgentKey): Agent | undefined;
  /** Makes it an agent of another workspace, with its state, certificates and figures: what it sends from now on goes there. */
  move(agent: AgentKey, to: WorkspaceId): Move;
  /** Notes what a known agent says of itself. */
  update(report: AgentReport): void;
  /** Notes that it was heard of now; on disk with the next `flush`. */
  touch(agent: AgentKey): void;
  /** Notes a batch that was taken from it; on disk with the next `flush`. */
  received(batch: AgentKey & { readonly solution: string; readonly body: Uint8Array }): void;
  flush(): void;
  /** Reads these from the disk again, where a copy was taken over, and tells of it. */
  reload(agents: readonly AgentKey[]): void;
  /** Calls `listener` after each change of who may send, and for which workspace. */
  onStanding(listener: () => void): void;
}

const hostNames = new Intl.Collator('en');
const NEW = { displayName: undefined, version: '', solutions: {}, receivedBatches: 0, receivedBytes: 0, movedFrom: undefined } as const;

export function createRegistry(database: DatabaseSync, now: () => number): Registry {
  const table = createAgentTable(database);
  const index = createAgentIndex();
  /** Those whose last moment or figures are not on disk yet. */
  const touched = new Set<string>();
  for (const agent of table.agents()) index.put(agent);
  for (const certificate of table.certificates()) index.putCertificate(certificate);

  const listeners = new Set<() => void>();
  const tellStanding = (): void => {
    for (const listener of listeners) listener();
  };

  const save = (agent: Agent): Agent => {
    table.save(agent);
    return index.put(agent);
  };
  const change = (agent: AgentKey, changes: Partial<Agent>): Agent | undefined => {
    const known = index.get(agent);
    return known && save({ ...known, ...changes });
  };
  const note = (known: Agent, changes: Partial<Agent>): void => {
    index.put({ ...known, ...changes });
    touched.add(keyOf(known));
  };

  const isAnothers = (fingerprint: Fingerprint, agent: AgentKey): boolean => {
    const known = index.certificate(fingerprint);
    return known !== undefined && keyOf(known) !== keyOf(agent);
  };
  /** Those that change when an agent uses this one from now on. */
  const makingCurrent = ({ workspaceId, agentId }: AgentKey, facts: CertificateFacts): AgentCertificate[] => {
    const { fingerprint, notBefore, notAfter } = facts;
    const replaced = index.certificatesOf({ workspaceId, agentId }).filter((one) => one.fingerprint !== fingerprint && one.replacedAt === undefined);
    const addedAt = index.certificate(fingerprint)?.addedAt ?? now();
    const current = { fingerprint, workspaceId, agentId, notBefore, notAfter, addedAt, replacedAt: undefined };
    return [...replaced.map((old) => ({ ...old, replacedAt: now() })), current];
  };
  // Memory follows the disk, never the other way round.
  const saveAll = (agent: Agent | undefined, certificates: readonly AgentCertificate[]): void => {
    inTransaction(database, () => {
      if (agent) table.save(agent);
      for (const one of certificates) table.saveCertificate(one);
    });
    if (agent) index.put(agent);
    for (const one of certificates) index.putCertificate(one);
  };

  return {
    enrol({ certificate, state, stateReason, version, ...report }) {
      if (certificate && isAnothers(certificate.fingerprint, report)) return false;
      const before = index.get(report);
      const known = before ?? { ...NEW, state, stateReason, stateSince: now(), firstSeenAt: now() };
      saveAll({ ...known, ...report, version: version ?? known.version, lastSeenAt: now() }, certificate ? makingCurrent(report, certificate) : []);
      if (!before) tellStanding();
      return true;
    },
    addCertificate(agent, certificate) {
      if (isAnothers(certificate.fingerprint, agent)) return false;
      saveAll(undefined, makingCurrent(agent, certificate));
      return true;
    },
    find: index.find,
    get: index.get,
    list: () => index.all().sort((a, b) => hostNames.compare(a.hostName, b.hostName) || (a.agentId < b.agentId ? -1 : 1)),
    all: index.all,
    countByState: index.countByState,
    certificatesOf: index.certificatesOf,
    setState(workspaceId, agentId, state, stateReason) {
      const changed = change({ workspaceId, agentId }, { state, stateReason, stateSince: now() });
      if (changed) tellStanding();
      return changed;
    },
    rename: (agent, displayName) => change(agent, { displayName }),
    remove(agent) {
      const known = index.get(agent);
      if (!known) return undefined;
      inTransaction(database, () => table.delete(known));
      index.delete(known);
      tellStanding();
      return known;
    },
    move(agent, to) {
      const known = index.get(agent);
      if (!known) return { outcome: 'unknown' };
      if (index.get({ ...agent, workspaceId: to })) return { outcome: 'taken' };
      const enrolledFor = known.movedFrom ?? known.workspaceId;
      const moved = { ...known, workspaceId: to, movedFrom: enrolledFor === to ? undefined : enrolledFor };
      const certificates = index.certificatesOf(known).map((one) => ({ ...one, workspaceId: to }));
      inTransaction(database, () => {
        table.save(moved);
        for (const one of certificates) table.saveCertificate(one);
        table.delete(known);
      });
      index.delete(known);
      for (const one of certificates) index.putCertificate(one);
      const agentNow = index.put(moved);
      tellStanding();
      return { outcome: 'moved', agent: agentNow };
    },
    update({ version, ...report }) {
      const agent = index.get(report);
      if (!agent) return;
      const said = { ...report, version: version ?? agent.version };
      const isNew = agent.hostName !== said.hostName || agent.operatingSystem !== said.operatingSystem || agent.version !== said.version;
      if (isNew) save({ ...agent, ...said });
    },
    touch(agent) {
      const known = index.get(agent);
      if (known) note(known, { lastSeenAt: now() });
    },
    received({ solution, body, ...agent }) {
      const known = index.get(agent);
      if (known) note(known, withBatch(known, solution, body.length, now()));
    },
    flush() {
      if (touched.size === 0) return;
      inTransaction(database, () => {
        for (const key of touched) {
          const agent = index.byKey(key);
          if (agent) table.save(agent);
        }
      });
      touched.clear();
    },
    reload(agents) {
      const fresh = agents.map((agent) => ({ key: agent, ...table.one(agent) }));
      for (const { key } of fresh) index.delete(key);
      for (const { agent, certificates } of fresh) {
        if (agent) index.put(agent);
        for (const one of certificates) index.putCertificate(one);
      }
      if (agents.length > 0) tellStanding();
    },
    onStanding: (listener) => void listeners.add(listener),
  };
}
