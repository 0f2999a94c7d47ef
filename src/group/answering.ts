/** What a relay does when another of its group asks it to. */
import { randomBytes } from 'node:crypto';
import { RelayError } from '../errors.ts';
import type { Follower } from './follower.ts';
import type { GroupParts } from './group-parts.ts';
import { issueForOther } from './issuing.ts';
import type { MemberId } from './member.ts';
import { entryOf } from './member-identity.ts';
import { claimOf, following, handedOver, joined, renewed, without } from './membership.ts';
import type { GroupPluginOptions, Newcomer } from './plugin.ts';
import type { Snapshots } from './snapshots.ts';

export interface AnsweringParts extends GroupParts {
  readonly snapshots: Pick<Snapshots, 'current'>;
  readonly copy: Follower['copy'];
  /** Counts tries to join from an address; seconds to wait, or 0. */
  readonly attempts: { begin(address: string): number; failed(address: string): void };
}

export function createAnswering(parts: AnsweringParts): Pick<GroupPluginOptions, 'join' | 'heard' | 'handOver' | 'renew' | 'leave'> {
  const { state, authority, snapshots, clock, audit, log } = parts;
  return {
    join: (newcomer, from) => join(parts, newcomer, from),
    async heard(from, claim) {
      if (claim.primary !== from.id) throw new RelayError('relay.group.bad-request', `The relay ${from.name} names another relay as the primary, not itself.`);
      await state.change((before) => before && following(before, claim));
      const file = state.current();
      return { ...(file ? { claim: claimOf(file) } : {}), version: parts.copy().version };
    },
    async handOver(to) {
      await state.change((before) => before && handedOver(before, to.id));
      log.warn({ to: to.name }, 'an operator made another relay the primary of the group; this one is a member from now on');
      audit({ ...by(to.name), action: 'group.hand-over', on: to.name, result: 'done' });
      return await snapshots.current();
    },
    async renew(member, request) {
      const certificate = issueForOther(authority, member.id, request);
      await state.change((before) => before && renewed(before, member.id, entryOf(certificate)));
      log.info({ member: member.name, endsAt: new Date(entryOf(certificate).notAfter).toISOString() }, 'a relay of the group renewed its certificate');
      return { certificate };
    },
    async leave(member) {
      await state.change((before) => before && without(before, member.id));
      log.info({ member: member.name, at: new Date(clock.now()).toISOString() }, 'a relay left the group');
      audit({ ...by(member.name), action: 'group.leave', on: member.name, result: 'done' });
    },
  };
}

async function join(parts: AnsweringParts, { secret, name, address, request }: Newcomer, from: string): Promise<object> {
  const { state, authority, snapshots, attempts, clock, audit, log } = parts;
  const waitS = attempts.begin(from);
  if (waitS > 0)
    throw new RelayError('relay.enrolment.too-many-attempts', `Too many attempts came from ${from}. Wait ${waitS} seconds.`, { retryAfterS: waitS });
  if (state.role() !== 'primary')
    throw new RelayError('relay.group.not-primary', 'This relay is not the primary of a group. Make the token on the primary: relay group token');
  const id = randomBytes(6).toString('hex') as MemberId;
  try {
    const certificate = issueForOther(authority, id, request);
    const member = { id, name, address: new URL(address).origin, certificates: [entryOf(certificate)], joinedAt: clock.now() };
    await state.change((before) => before && joined(before, member, secret, clock.now()));
    audit({ ...by(name), action: 'group.join', on: name, from, result: 'done', detail: member.address });
    log.info({ member: name, address: member.address }, 'a relay joined the group');
    return { id, certificate, snapshot: (await snapshots.current()).bytes.toString('base64') };
  } catch (error) {
    if (error instanceof RelayError && error.code === 'relay.group.bad-token') attempts.failed(from);
    audit({ ...by('unknown'), action: 'group.join', on: name, from, result: 'refused', detail: error instanceof RelayError ? error.code : 'failed' });
    throw error;
  }
}

function by(name: string): { actor: { kind: 'system'; name: string }; from: string } {
  return { actor: { kind: 'system', name: `relay ${name}` }, from: 'group' };
}
