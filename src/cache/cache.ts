import type { Batch } from '../batch/batch.ts';
import type { Kind } from '../batch/kind.ts';
import type { Deliver } from '../batch/verdict.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount, Balance } from './balance.ts';
import type { DeadLetterCause } from './dead-letters.ts';
import type { Ground } from './ground.ts';
import type { IndexState } from './index-states.ts';
import type { KeyUse } from './key-use.ts';
import type { LetterCount } from './letter-catalogue.ts';

/** What became of a batch offered to the cache. */
export type PutOutcome =
  /** Sealed, on stable storage and in the index: it may be acknowledged. */
  | { readonly outcome: 'stored' }
  /** There is no room for it. Nothing was kept. */
  | { readonly outcome: 'full'; readonly message: string }
  /** Disk or index did not take it. Nothing was kept that would be sent. */
  | { readonly outcome: 'unavailable'; readonly message: string };

/** How the way to one workspace is, as the cache sees it. */
export interface UpstreamState {
  readonly state: 'awake' | 'resting' | 'held';
  /** While resting: when it first failed and when the next try is, in milliseconds since 1970, and what upstream said last. */
  readonly since?: number;
  readonly nextTryAt?: number;
  /** When it counts as held, or since when it has. */
  readonly heldAt?: number;
  readonly reason?: string;
}

export interface CacheStats {
  readonly workspaces: readonly WorkspaceStats[];
  readonly usedBytes: number;
  readonly limitBytes: number;
  /** Whether a batch would be taken now, and if not, why. */
  readonly ready: { readonly ok: true } | { readonly ok: false; readonly reasons: readonly string[] };
  readonly ground: Ground;
}

export interface WorkspaceStats {
  readonly workspaceId: WorkspaceId;
  readonly upstream: UpstreamState;
  readonly balance: readonly (Balance & { readonly kind: Kind })[];
  /** When the oldest batch that still waits was received, in milliseconds since 1970. */
  readonly oldestAt?: number;
  /** The same by kind, for kinds that have something waiting. */
  readonly oldestByKind: Readonly<Partial<Record<Kind, number>>>;
  /** Since when the oldest batch that may be sent now could have been, in milliseconds since 1970; undefined when none may be sent now. */
  readonly dueSince?: number;
  readonly groupsWaiting: number;
  readonly groupsInFlight: number;
  /** Those among the waiting that fail alone, and wait for their next try. */
  readonly groupsDelayed: number;
  readonly deadLetters: LetterCount;
  /** Entries of the index by state, as they were counted last. */
  readonly indexCounts?: Readonly<Record<IndexState, number>>;
  /** When something was last brought to an end, in milliseconds since 1970. */
  readonly lastProgressAt?: number;
  /** An operator lets nothing be sent for now. */
  readonly paused?: boolean;
  /** Data waits that the service will give the time of its arrival. */
  readonly gettingOld?: boolean;
  /** What cannot be opened because its key is lost, by key; it is part of what is cached. */
  readonly unopenable?: readonly KeyUse[];
  /** What was given up and the workspace has not been told of yet. */
  readonly lost?: Amount;
}

/** The durable store between intake and upstream. */
export interface Cache {
  /** Keeps a batch. Resolves only when it is on stable storage and in the index; never throws for a full disk or an absent Redis. */
  put(batch: Batch): Promise<PutOutcome>;
  /** Puts a batch aside at once, durably, as a dead letter. */
  putAside(batch: Batch, cause: DeadLetterCause): Promise<PutOutcome>;
  /** Begins to offer what is cached, workspace by workspace, oldest first. Once. */
  consume(deliver: Deliver): void;
  stats(): CacheStats;
  /** Whether a workspace has been out of reach for longer than the retry window. */
  isHeld(workspaceId: WorkspaceId): boolean;
  /** Stops offering, lets attempts in flight finish for `deadlineMs` at most, writes what is noted and closes. Safe to call twice. */
  close(deadlineMs: number): Promise<void>;
}
