import type { News } from './announcing.ts';
import type { CopyState } from './follower.ts';
import { type GroupFile, roleIn } from './group-file.ts';
import type { Member, MemberId } from './member.ts';
import { primaryOf } from './membership.ts';
import type { GroupStatus, MemberStatus } from './status.ts';

export interface Seen {
  readonly copy: CopyState;
  readonly newsOf: (id: MemberId) => News | undefined;
  /** Of this relay's own snapshot, where it is the primary. */
  readonly version: string | undefined;
  readonly missingWorkspaces: readonly string[];
}

/** What a relay says of its group; undefined when it is in none. */
export function statusOf(file: GroupFile | undefined, seen: Seen): GroupStatus | undefined {
  const role = roleIn(file);
  if (!file || role === 'alone') return undefined;
  const { name = '', address = '' } = primaryOf(file) ?? {};
  const { confirmedAt, trouble } = seen.copy;
  return {
    name: file.members.find(({ id }) => id === file.id)?.name ?? '',
    role,
    term: file.term,
    primary: { name, address },
    members: file.members.map((member) => memberStatus(member, file, seen)),
    ...(role === 'member' ? { copy: { confirmedAt, trouble, missingWorkspaces: seen.missingWorkspaces } } : {}),
  };
}

function memberStatus({ id, name, address }: Member, file: GroupFile, { copy, newsOf, version }: Seen): MemberStatus {
  const isSelf = id === file.id;
  const isPrimary = id === file.primary;
  const news = file.id === file.primary && !isSelf ? newsOf(id) : undefined;
  const known = (of: string | undefined): MemberStatus['copy'] => (of === undefined || version === undefined ? 'unknown' : of === version ? 'newest' : 'older');
  return {
    id,
    name,
    address,
    role: isPrimary ? 'primary' : 'member',
    isSelf,
    heardAt: file.id !== file.primary && isPrimary ? copy.confirmedAt : news?.at,
    copy: isPrimary ? 'newest' : isSelf ? (copy.trouble === undefined && copy.version !== undefined ? 'newest' : 'unknown') : known(news?.version),
  };
}
