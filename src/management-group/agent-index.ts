import type { Fingerprint } from '../authority/x509.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Agent, AgentCertificate, AgentKey, AgentState } from './agent.ts';

/** Agents and certificates in memory. Nothing here costs more for many agents but `all`. */
export interface AgentIndex {
  put(agent: Agent): Agent;
  /** The certificates go with it. */
  delete(agent: AgentKey): void;
  get(agent: AgentKey): Agent | undefined;
  byKey(key: string): Agent | undefined;
  all(): Agent[];
  /** Of one workspace, or of all. */
  countByState(workspaceId?: WorkspaceId): Readonly<Record<AgentState, number>>;
  putCertificate(certificate: AgentCertificate): void;
  certificate(fingerprint: Fingerprint): AgentCertificate | undefined;
  /** A certificate and whose it is. */
  find(fingerprint: Fingerprint): { readonly agent: Agent; readonly certificate: AgentCertificate } | undefined;
  certificatesOf(agent: AgentKey): AgentCertificate[];
}

/** One agent's place: its certificates lead here, without a look for its key. */
interface Place {
  agent: Agent | undefined;
  readonly certificates: Map<Fingerprint, AgentCertificate>;
}

export function createAgentIndex(): AgentIndex {
  const places = new Map<string, Place>();
  const certificates = new Map<Fingerprint, { readonly certificate: AgentCertificate; readonly place: Place }>();
  const counts = new Map<WorkspaceId, Record<AgentState, number>>();

  const count = (agent: Agent | undefined, by: 1 | -1): void => {
    if (!agent) return;
    const found = counts.get(agent.workspaceId) ?? { pending: 0, approved: 0, suspended: 0 };
    found[agent.state] += by;
    counts.set(agent.workspaceId, found);
  };
  const placeOf = (agent: AgentKey): Place => {
    const key = keyOf(agent);
    const place = places.get(key) ?? { agent: undefined, certificates: new Map() };
    places.set(key, place);
    return place;
  };

  return {
    put(agent) {
      const place = placeOf(agent);
      count(place.agent, -1);
      count(agent, 1);
      place.agent = agent;
      return agent;
    },
    delete(agent) {
      const key = keyOf(agent);
      const place = places.get(key);
      if (!place) return;
      count(place.agent, -1);
      for (const fingerprint of place.certificates.keys()) certificates.delete(fingerprint);
      places.delete(key);
    },
    get: (agent) => places.get(keyOf(agent))?.agent,
    byKey: (key) => places.get(key)?.agent,
    all: () => [...places.values()].flatMap(({ agent }) => agent ?? []),
    countByState(workspaceId) {
      const total = { pending: 0, approved: 0, suspended: 0 };
      for (const [workspace, { pending, approved, suspended }] of counts) {
        if (workspaceId !== undefined && workspace !== workspaceId) continue;
        total.pending += pending;
        total.approved += approved;
        total.suspended += suspended;
      }
      return total;
    },
    putCertificate(certificate) {
      const place = placeOf(certificate);
      place.certificates.set(certificate.fingerprint, certificate);
      certificates.set(certificate.fingerprint, { certificate, place });
    },
    certificate: (fingerprint) => certificates.get(fingerprint)?.certificate,
    find(fingerprint) {
      const found = certificates.get(fingerprint);
      return found?.place.agent && { agent: found.place.agent, certificate: found.certificate };
    },
    certificatesOf: (agent) => [...(places.get(keyOf(agent))?.certificates.values() ?? [])],
  };
}

/** One text for what names an agent. */
export function keyOf(agent: AgentKey): string {
  return `${agent.workspaceId} ${agent.agentId}`;
}
