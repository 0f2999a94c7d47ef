/** What the command line and the running relay say to each other over the Unix socket. JSON both ways. */
import type { RootFacts } from '../authority/authority.ts';
import type { CertificateEnd } from '../authority/certificate-end.ts';
import type { CacheStats } from '../cache/cache.ts';
import type { DeadLetter } from '../cache/dead-letters.ts';
import type { GroupStatus } from '../group/status.ts';
import type { Agent, AgentCertificate, AgentState } from '../management-group/agent.ts';
import type { EnrolmentKey } from '../management-group/enrolment-keys.ts';
import type { OneTimeToken } from '../management-group/one-time-tokens.ts';
import type { Sender } from '../management-group/senders.ts';
import type { SolutionState } from '../routing/routing.ts';
import type { SenderFacts } from '../sender-configuration/facts.ts';
import type { WorkspaceRoads } from '../workspace/road-state.ts';
import type { SignInState } from '../workspace/sign-in-state.ts';

export interface Status {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Where agents connect. */
  readonly intakePort: number;
  readonly metricsPort: number;
  /** Undefined when it is not enabled. */
  readonly tunnel?: { readonly port: number; readonly open: number };
  /** Syslog over TLS, and its connections; undefined when it is not enabled. */
  readonly syslog?: { readonly port: number; readonly open: number };
  /** The group of relays that it belongs to; undefined when it is in none. */
  readonly group?: GroupStatus;
  /** SHA-256 of the root certificate: what agents trust. */
  readonly rootFingerprint: string;
  readonly serverCertificateEndsAt: number;
  /** The server's again, and all others. */
  readonly certificates: readonly CertificateEnd[];
  readonly agents: Readonly<Record<Agent['state'], number>>;
  /** Approved agents that nothing was heard of for longer than metrics.silentAfter. */
  readonly agentsSilent: number;
  readonly workspaceNames: Readonly<Record<string, string>>;
  /** By workspace id: the names of those that get a copy of its data. */
  readonly copiedTo: Readonly<Record<string, readonly string[]>>;
  /** By workspace id. */
  readonly roads: Readonly<Record<string, WorkspaceRoads>>;
  /** By workspace id, for those that the relay signs in to. */
  readonly signIns: Readonly<Record<string, SignInState>>;
  readonly cache: CacheStats;
}

export interface AuthorityFacts {
  /** Every root to be trusted now, the current one first. */
  readonly roots: readonly RootFacts[];
  /** Agents that may send and have not asked for the roots since `unawareSince`. */
  readonly unaware: readonly Pick<Agent, 'agentId' | 'workspaceId' | 'hostName' | 'lastSeenAt'>[];
  /** Since the newest root was made, or the relay started, whichever is later; milliseconds since 1970. */
  readonly unawareSince: number;
}

/** An agent with what follows from its certificates and its names. */
export interface ListedAgent extends Agent {
  /** Milliseconds since 1970. */
  readonly certificateEndsAt: number | undefined;
  readonly groups: readonly string[];
}

/** What a machine that cannot ask for its certificate is given; the private key is where the request was made. */
export interface CertificateForMachine {
  readonly agent: Agent;
  /** PEM, as the roots. */
  readonly certificate: string;
  readonly roots: readonly string[];
}

export interface AgentDetails {
  readonly agent: ListedAgent;
  readonly certificates: readonly AgentCertificate[];
}

/** The solutions, and the workspaces that agents reach without the relay. */
export interface SolutionsAnswer {
  readonly solutions: readonly SolutionState[];
  readonly directWorkspaces: readonly string[];
}

export interface CreatedKey {
  readonly enrolmentKey: EnrolmentKey;
  /** base64; shown this once. */
  readonly secret: string;
}

/** A sender as the command line lists it. */
export interface ListedSender {
  readonly name: string;
  readonly clientId: string;
  readonly workspaceId: string;
  readonly state: AgentState;
  /** Milliseconds since 1970. */
  readonly lastSeenAt: number;
  readonly receivedBatches: number;
  readonly secrets: Sender['secrets'];
}

export interface CreatedSender {
  readonly sender: ListedSender;
  /** Shown this once. */
  readonly secret: string;
}

/** What a sender is configured with, its secret included. */
export type SenderCredential = SenderFacts;

export interface CreatedToken {
  readonly token: OneTimeToken;
  /** Shown this once. */
  readonly secret: string;
}

export interface OpenedDeadLetter {
  readonly letter: DeadLetter;
  readonly encoding: string;
  readonly headers: Readonly<Record<string, string>>;
  /** base64 of the body as it came. */
  readonly body: string;
}

export interface PurgeProgress {
  readonly state: 'running' | 'done';
  /** What was deleted; known at the end. */
  readonly batches: number;
  readonly bytes: number;
}

/** What became of a letter that was to be sent again or discarded. `gone`: there is none with that id. */
export interface LetterOutcome {
  readonly id: string;
  readonly outcome: 'replayed' | 'discarded' | 'gone' | 'kept';
  /** Why it was kept. */
  readonly message?: string;
}

/** A text for a support bundle. */
export interface SupportText {
  readonly text: string;
}

export interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}
