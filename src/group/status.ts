import type { GroupRole } from './group-file.ts';

/** One relay of the group, as another sees it. */
export interface MemberStatus {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly role: Exclude<GroupRole, 'alone'>;
  /** It is the relay that was asked. */
  readonly isSelf: boolean;
  /** When it was last heard of, in milliseconds since 1970; undefined when it never was, or when this relay does not ask it. */
  readonly heardAt?: number | undefined;
  /** Whether it has the newest copy, as far as this relay knows. */
  readonly copy: 'newest' | 'older' | 'unknown';
}

/** The copy that a member works with. */
export interface CopyStatus {
  /** When the primary last said that it is the newest, in milliseconds since 1970; undefined since the start. */
  readonly confirmedAt?: number | undefined;
  /** Why it could not be asked last. */
  readonly trouble?: string | undefined;
  /** Workspaces of the primary that this relay does not serve. */
  readonly missingWorkspaces: readonly string[];
}

/** A relay's group as it sees it. */
export interface GroupStatus {
  readonly name: string;
  readonly role: Exclude<GroupRole, 'alone'>;
  readonly term: number;
  readonly primary: { readonly name: string; readonly address: string };
  readonly members: readonly MemberStatus[];
  /** Undefined on the primary. */
  readonly copy?: CopyStatus | undefined;
}
