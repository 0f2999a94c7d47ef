/** What an operator does with a group of relays. */
import { randomBytes } from 'node:crypto';
import { messageOf, RelayError } from '../errors.ts';
import type { GroupFile } from './group-file.ts';
import type { GroupParts } from './group-parts.ts';
import { issueForSelf } from './issuing.ts';
import { readJoinToken, writeJoinToken } from './join-token.ts';
import { joinGroup } from './joining.ts';
import type { MemberId } from './member.ts';
import { entryOf } from './member-identity.ts';
import { type Claim, founded, memberNamed, primaryOf, promoted, without, withToken } from './membership.ts';
import { claimSchema, readMessage } from './messages.ts';
import { HAND_OVER_PATH, LEAVE_PATH } from './paths.ts';
import type { PeerLink } from './peer-link.ts';
import { type Snapshot, unpackSnapshot } from './snapshot.ts';

const TOKEN_LIFE_MS = 15 * 60_000;
const SECRET_BYTES = 32;
/** Shorter than the command line waits. */
const HAND_OVER_MS = 8_000;

export interface CreatedJoinToken {
  /** Shown this once. */
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

export interface Steering {
  /** Begins a group with this relay as its primary. Throws `relay.group.has-group`. */
  init(name: string, address: string): Promise<void>;
  /** Has this relay, which must be fresh, join another's group. Throws as `joinGroup`. */
  join(token: string, own: { readonly name: string; readonly address: string }): Promise<void>;
  /** Throws `relay.group.not-primary`, as `remove`. */
  createToken(): Promise<CreatedJoinToken>;
  /** Takes a relay out: from its next request on it is refused. */
  remove(name: string): Promise<void>;
  /** Makes this relay the primary. One that answers hands over; without an answer only when it is said to be lost for good. Throws `relay.group.primary-away`. */
  promote(isPrimaryLost: boolean): Promise<void>;
  /** Takes this relay out. It goes on by itself, with what it knows. Throws `relay.group.is-primary`. */
  leave(): Promise<void>;
}

export interface SteeringParts extends GroupParts {
  readonly link: PeerLink;
  readonly takeOver: (snapshot: Snapshot) => Promise<void>;
  readonly believe: (claim: Claim) => Promise<void>;
  readonly tellAll: () => Promise<unknown>;
}

export function createSteering(parts: SteeringParts): Steering {
  const { state, identity, authority, clock } = parts;
  return {
    async init(name, address) {
      if (state.current()) throw new RelayError('relay.group.has-group', 'This relay is in a group already. Look: relay group members');
      const id = randomBytes(6).toString('hex') as MemberId;
      const own = await issueForSelf(authority, id);
      await identity.replace(own);
      await state.change(() => founded({ id, name, address: new URL(address).origin, certificates: [entryOf(own.certificate)], joinedAt: clock.now() }));
    },
    join: (token, { name, address }) => joinGroup(readJoinToken(token), { name, address: new URL(address).origin }, parts),
    async createToken() {
      const file = asPrimary(parts);
      const secret = randomBytes(SECRET_BYTES).toString('base64url');
      const expiresAt = clock.now() + TOKEN_LIFE_MS;
      await state.change((before) => before && withToken(before, secret, expiresAt, clock.now()));
      const { address = '' } = primaryOf(file) ?? {};
      return { token: writeJoinToken({ address, primary: file.primary, rootFingerprint: authority.rootFingerprint, secret, expiresAt }), expiresAt };
    },
    async remove(name) {
      const { id } = memberNamed(asPrimary(parts), name);
      await state.change((before) => before && without(before, id));
    },
    promote: (isPrimaryLost) => promote(parts, isPrimaryLost),
    leave: () => leave(parts),
  };
}

async function promote(parts: SteeringParts, isPrimaryLost: boolean): Promise<void> {
  const { state, takeOver, believe, tellAll, log } = parts;
  const file = inGroup(parts);
  const primary = primaryOf(file);
  if (!primary || primary.id === file.id) throw new RelayError('relay.group.has-group', 'This relay is the primary already.');
  const answer = await parts.link.call(primary, { method: 'POST', path: HAND_OVER_PATH, timeoutMs: HAND_OVER_MS }).catch((cause: unknown) => {
    if (isPrimaryLost) return undefined;
    throw new RelayError(
      'relay.group.primary-away',
      `The primary ${primary.name} does not answer, so it cannot hand over what it knows: ${messageOf(cause)} Start it, or wait. If it is lost for good: relay group promote --primary-lost`,
    );
  });
  if (answer?.status === 409) {
    await believe(readMessage(claimSchema, answer.body));
    throw new RelayError('relay.group.not-primary', `The relay ${primary.name} is not the primary any more. Look again: relay group members`);
  }
  if (answer && answer.status !== 200)
    throw new RelayError('relay.group.refused', `The primary ${primary.name} answered ${answer.status} and did not hand over.`);
  if (answer) await takeOver(await unpackSnapshot(answer.body));
  else await state.change((before) => before && promoted(before));
  log.warn({ term: state.current()?.term, before: primary.name, handedOver: answer !== undefined }, 'an operator made this relay the primary of the group');
  void tellAll();
}

async function leave(parts: SteeringParts): Promise<void> {
  const { state, link } = parts;
  const file = inGroup(parts);
  const primary = primaryOf(file);
  if (primary?.id === file.id) {
    if (file.members.length > 1) without(file, file.id);
  } else if (primary) {
    const { status } = await link.call(primary, { method: 'POST', path: LEAVE_PATH });
    // One that was removed already has nothing to leave.
    if (status !== 204 && status !== 403)
      throw new RelayError('relay.group.refused', `The primary ${primary.name} answered ${status}. Try again, or remove this relay there: relay group remove`);
  }
  await state.change(() => undefined);
}

function inGroup({ state }: GroupParts): GroupFile {
  const file = state.current();
  if (file) return file;
  throw new RelayError('relay.group.no-group', 'This relay is in no group. Begin one with: relay group init; or join one with: relay group join');
}

function asPrimary(parts: GroupParts): GroupFile {
  const file = inGroup(parts);
  if (file.primary === file.id) return file;
  throw notPrimary(file);
}

/** Throws `relay.group.not-primary` on a member: what concerns the whole group is decided on the primary. */
export function decidesHere(file: GroupFile | undefined): void {
  if (file && file.primary !== file.id) throw notPrimary(file);
}

/** The refusal of what only the primary does. */
export function notPrimary(file: GroupFile): RelayError {
  const { name = 'another relay', address = 'an unknown address' } = primaryOf(file) ?? {};
  return new RelayError(
    'relay.group.not-primary',
    `This relay is a member of a group: that is decided on its primary, ${name} at ${address}. Give the command there.`,
  );
}
