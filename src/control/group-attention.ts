import { roughDuration } from '../rough.ts';
import type { Status } from './api.ts';
import { type Attention, act, look } from './attention.ts';

const MINUTE_MS = 60_000;
/** How old a member's copy may be before it is told of, and before somebody must act: enrolments and renewals wait for the primary. */
const COPY = { lookMs: 5 * MINUTE_MS, actMs: 24 * 60 * MINUTE_MS };
/** A member is asked every five seconds. */
const UNHEARD_MS = 2 * MINUTE_MS;

/** What of a relay's group needs a person. */
export function groupAttention({ group, startedAt }: Pick<Status, 'group' | 'startedAt'>, now: number): Attention[] {
  if (!group) return [];
  const since = (at: number | undefined): number => now - Math.max(at ?? 0, startedAt);
  const unheard = group.role === 'primary' ? group.members.filter(({ isSelf, heardAt }) => !isSelf && since(heardAt) > UNHEARD_MS) : [];
  return [
    ...unheard.map(({ name, address, heardAt }) =>
      look(`the relay ${name} of the group at ${address} has not answered for ${roughDuration(since(heardAt))}`, 'relay group members'),
    ),
    ...copyAttention(group, since(group.copy?.confirmedAt)),
    ...(group.copy?.missingWorkspaces ?? []).map((id) =>
      act(`this relay does not serve workspace ${id} of its group: agents of it can send nothing here`, 'relay register'),
    ),
  ];
}

function copyAttention({ role, primary }: NonNullable<Status['group']>, ageMs: number): Attention[] {
  if (role !== 'member' || ageMs < COPY.lookMs) return [];
  const text = `the primary ${primary.name} of the group has not answered for ${roughDuration(ageMs)}: no machine can enrol or renew; if it is lost for good, another relay must be promoted`;
  return [ageMs < COPY.actMs ? look(text, 'relay group members') : act(text, 'relay group promote --primary-lost')];
}
