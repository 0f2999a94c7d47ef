/**
 * How a group changes: pure. There is one primary at a time, and it alone decides who belongs to the group. A term is a number that only grows:
 * whoever becomes the primary takes the next one, and a primary that hears of a higher term is one no more.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { RelayError } from '../errors.ts';
import type { GroupFile } from './group-file.ts';
import { type Member, type MemberCertificate, type MemberId, placeOf } from './member.ts';

/** A site has two or three; each asks the primary, and agents try them one after the other. */
export const MOST_MEMBERS = 8;
const MOST_TOKENS = 16;

/** Who somebody says is the primary. */
export interface Claim {
  readonly term: number;
  readonly primary: MemberId;
  readonly members: readonly Member[];
}

/** The group that a relay begins, with itself as its primary. */
export function founded(self: Member): GroupFile {
  return { id: self.id, term: 1, primary: self.id, members: [self], tokens: [] };
}

export function claimOf({ term, primary, members }: GroupFile): Claim {
  return { term, primary, members };
}

/** Whether a claim stands before what this relay knows. Of two primaries of one term, which takes two operators at once, the id decides. */
export function judge(file: GroupFile, { term, primary }: Pick<Claim, 'term' | 'primary'>): 'newer' | 'same' | 'older' {
  if (term !== file.term) return term > file.term ? 'newer' : 'older';
  if (primary === file.primary) return 'same';
  return primary > file.primary ? 'newer' : 'older';
}

/** What a relay knows once it believes a claim: the very same object when that is nothing new. A primary that another has replaced unasked is displaced. */
export function following(file: GroupFile, { term, primary, members }: Claim): GroupFile {
  const verdict = judge(file, { term, primary });
  if (verdict === 'older' || (verdict === 'same' && isDeepStrictEqual(file.members, members))) return file;
  const isDisplaced = file.isDisplaced === true || (file.primary === file.id && primary !== file.id);
  return { ...file, term, primary, members, tokens: primary === file.id ? file.tokens : [], ...(isDisplaced ? { isDisplaced } : {}) };
}

/** What a displaced relay knows once it has the copy of the one that took over. */
export function settled({ isDisplaced: _, ...file }: GroupFile): GroupFile {
  return file;
}

/** Makes this relay the primary. */
export function promoted(file: GroupFile): GroupFile {
  return { ...settled(file), term: file.term + 1, primary: file.id, tokens: [] };
}

/** The primary makes way for another, which has all that it knows. */
export function handedOver(file: GroupFile, to: MemberId): GroupFile {
  return { ...file, term: file.term + 1, primary: to, tokens: [] };
}

/** Adds a token to join; those that are over go. Throws `relay.group.too-many-tokens`. */
export function withToken(file: GroupFile, secret: string, expiresAt: number, now: number): GroupFile {
  const tokens = file.tokens.filter((token) => token.expiresAt > now);
  if (tokens.length >= MOST_TOKENS)
    throw new RelayError('relay.group.too-many-tokens', `There are ${MOST_TOKENS} tokens that nobody has used. They are good for 15 minutes: wait.`);
  return { ...file, tokens: [...tokens, { hash: hashOf(secret).toString('hex'), expiresAt }] };
}

/** Lets a relay join with a token, which is used up. Throws `relay.group.bad-token`, `relay.group.name-taken` or `relay.group.too-many-members`. */
export function joined(file: GroupFile, member: Member, secret: string, now: number): GroupFile {
  const given = hashOf(secret);
  // All are compared, so that the time taken tells nothing.
  const matching = file.tokens.filter(({ hash }) => timingSafeEqual(Buffer.from(hash, 'hex'), given));
  if (!matching.some(({ expiresAt }) => expiresAt > now))
    throw new RelayError('relay.group.bad-token', 'The token is unknown, used, or older than 15 minutes. Make another on the primary: relay group token');
  const taken = file.members.find(({ name, address }) => name === member.name || address === member.address);
  if (taken)
    throw new RelayError(
      'relay.group.name-taken',
      `The group has the relay ${taken.name} at ${taken.address} already. Choose another name and address; or, if it is gone, on the primary: relay group remove ${taken.name}`,
    );
  if (file.members.length >= MOST_MEMBERS) throw new RelayError('relay.group.too-many-members', `A group has ${MOST_MEMBERS} relays at most.`);
  return { ...file, members: [...file.members, member], tokens: file.tokens.filter((token) => !matching.includes(token)) };
}

/** Takes a member out. Throws `relay.group.is-primary` for the primary. */
export function without(file: GroupFile, id: MemberId): GroupFile {
  if (id === file.primary)
    throw new RelayError('relay.group.is-primary', 'The primary cannot leave its group. Make another relay the primary first, there: relay group promote');
  return { ...file, members: file.members.filter((member) => member.id !== id) };
}

/** Enters a member's new certificate. The one before stays good until the next one. */
export function renewed(file: GroupFile, id: MemberId, certificate: MemberCertificate): GroupFile {
  const change = (member: Member): Member => (member.id === id ? { ...member, certificates: [certificate, ...member.certificates].slice(0, 2) } : member);
  return { ...file, members: file.members.map(change) };
}

/** The member with this name or id. Throws `relay.group.unknown-member`. */
export function memberNamed({ members }: GroupFile, name: string): Member {
  const found = members.find((member) => member.name === name || member.id === name);
  if (found) return found;
  throw new RelayError('relay.group.unknown-member', `The group has no relay "${name}". List them with: relay group members`);
}

/** The addresses of all relays of the group, this one's first. */
export function addressesOf(file: GroupFile | undefined): readonly string[] {
  if (!file) return [];
  const own = file.members.filter(({ id }) => id === file.id);
  return [...own, ...file.members.filter(({ id }) => id !== file.id)].map(({ address }) => address);
}

/** The host names or addresses by which this relay is reached: its certificate names them. */
export function hostsOf(file: GroupFile | undefined): readonly string[] {
  const [own] = file?.members.some(({ id }) => id === file.id) ? addressesOf(file) : [];
  return own === undefined ? [] : [placeOf(own).host];
}

export function primaryOf({ members, primary }: GroupFile): Member | undefined {
  return members.find(({ id }) => id === primary);
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
