import type { Fingerprint } from '../authority/x509.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';

/** `pending` waits for an operator, `approved` may send, `suspended` is refused from the next request on. */
export type AgentState = 'pending' | 'approved' | 'suspended';

/** A machine, or a program on it, that sends to the relay. A machine that serves two workspaces is two agents. */
export interface Agent {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly hostName: string;
  /** What the operator calls it, beside its host name. */
  readonly displayName: string | undefined;
  readonly operatingSystem: string;
  /** Name and version of its software, as it says: `LinuxMonitoringAgent/1.19.0-0`; empty when it has not said. */
  readonly version: string;
  readonly state: AgentState;
  /** Why it is in this state, in words: which rule or operator. */
  readonly stateReason: string;
  readonly stateSince: number;
  /** The enrolment key it last onboarded with. */
  readonly enrolmentKeyId: string;
  readonly firstSeenAt: number;
  /** Milliseconds since 1970; written to disk once a minute. */
  readonly lastSeenAt: number;
  /** Solutions whose data it has sent, and when it last did (milliseconds since 1970); written to disk once a minute, as the two below. */
  readonly solutions: Readonly<Record<string, number>>;
  /** What was taken from it since it enrolled, as it came over the wire. */
  readonly receivedBatches: number;
  readonly receivedBytes: number;
  /** The workspace it enrolled for, when an operator has moved it to another: the one its own certificates name. */
  readonly movedFrom: WorkspaceId | undefined;
}

/** What names an agent. */
export type AgentKey = Pick<Agent, 'workspaceId' | 'agentId'>;

/** A certificate an agent is known by. */
export interface AgentCertificate {
  readonly fingerprint: Fingerprint;
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** Milliseconds since 1970, all three. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly addedAt: number;
  /** Since when a newer one has been in use; undefined for the current one. */
  readonly replacedAt: number | undefined;
}
