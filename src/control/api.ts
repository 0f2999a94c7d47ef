/** What the command line and the running relay say to each other over the Unix socket. JSON both ways. */
import type { CacheStats } from '../cache/cache.ts';
import type { DeadLetter } from '../cache/dead-letters.ts';
import type { Agent, AgentCertificate } from '../management-group/agent.ts';
import type { EnrolmentKey } from '../management-group/enrolment-keys.ts';

export interface Status {
  readonly version: string;
  readonly pid: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** Where agents connect. */
  readonly intakePort: number;
  readonly metricsPort: number;
  /** SHA-256 of the root certificate: what agents trust. */
  readonly rootFingerprint: string;
  readonly serverCertificateEndsAt: number;
  readonly agents: Readonly<Record<Agent['state'], number>>;
  readonly workspaceNames: Readonly<Record<string, string>>;
  readonly cache: CacheStats;
}

export interface AgentDetails {
  readonly agent: Agent;
  readonly certificates: readonly AgentCertificate[];
}

export interface CreatedKey {
  readonly enrolmentKey: EnrolmentKey;
  /** base64; shown this once. */
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

export interface Refusal {
  readonly error: { readonly code: string; readonly message: string };
}
