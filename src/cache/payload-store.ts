import type { Batch, BatchSummary } from '../batch/batch.ts';
import type { Kind } from '../batch/kind.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { Amount } from './balance.ts';
import type { KeyUse } from './key-use.ts';
import type { GroupId } from './segment-format.ts';

/** A stored group: what the index needs to know of it. */
export interface StoredGroup {
  readonly id: GroupId;
  readonly workspaceId: WorkspaceId;
  readonly kind: Kind;
  readonly batches: number;
  readonly bytes: number;
  /** When its oldest batch was received, in milliseconds since 1970. */
  readonly oldestAt: number;
}

/** A member that is not done: its place in the group, and the batch, or why it cannot be read. */
export interface StoredMember {
  readonly position: number;
  readonly content: { readonly readable: true; readonly batch: Batch } | UnreadableMember;
}

/** A member that cannot be opened; `summary` where at least the group's header could be read. */
export interface UnreadableMember {
  readonly readable: false;
  readonly bytes: number;
  readonly message: string;
  readonly summary?: BatchSummary;
}

/**
 * Where sealed payloads live until they are done. `segments` on the relay's own disk is the first form. It is the truth; the index only
 * says in which order and when.
 */
export interface PayloadStore {
  /** Seals and stores batches of one workspace and kind as one group. Resolves when they are on stable storage; throws and keeps nothing otherwise. */
  append(batches: readonly Batch[]): Promise<StoredGroup>;
  /** The members of a group that are not done. Undefined when the store has no such group, or all of it is done. */
  read(id: GroupId): Promise<readonly StoredMember[] | undefined>;
  /** Notes that these members need not be kept any longer; the last one ends the group. The note is durable a moment later, not at once. */
  markDone(id: GroupId, positions: readonly number[]): void;
  /** Takes back a group whose index entry could not be made. */
  withdraw(id: GroupId): void;
  has(id: GroupId): boolean;
  /** Groups of one workspace that are not done, the oldest first. */
  outstanding(workspaceId: WorkspaceId): StoredGroup[];
  /** Groups of one workspace and kind that are not done, in the order in which they came, with the bytes each takes on disk. Not to be changed meanwhile. */
  groupsOf(workspaceId: WorkspaceId, kind: Kind): Iterable<StoredGroup & { readonly storedBytes: number }>;
  /** Workspaces that have groups which are not done. */
  workspaces(): WorkspaceId[];
  /** How many groups of one workspace are not done. */
  groups(workspaceId: WorkspaceId): number;
  /** What is stored and not done. */
  cached(workspaceId: WorkspaceId, kind: Kind): Amount;
  oldestAt(workspaceId: WorkspaceId): number | undefined;
  /** Bytes on disk that data not done takes, in all or for one workspace. */
  usedBytes(workspaceId?: WorkspaceId): number;
  /** What is stored and not done but cannot be opened, because its key is lost, by key. It is kept, counts as cached, and is nowhere else in sight. */
  unopenable(workspaceId?: WorkspaceId): KeyUse[];
  /** The groups among them that one key sealed. */
  unopenableGroups(keyId: string): StoredGroup[];
  /** The members of such a group that are not done, as its header tells them. */
  describe(id: GroupId): Promise<readonly StoredMember[]>;
  /** Every key that seals something still on disk, with the groups it sealed that are not done. */
  keyUse(): KeyUse[];
  close(): Promise<void>;
}
