import type { GroupStatus } from '../group/status.ts';
import type { Metrics } from './metrics.ts';

const ROLES = ['alone', 'primary', 'member'] as const;
/** A member that has not answered for so long counts as unheard, in milliseconds. */
const UNHEARD_AFTER_MS = 60_000;

/** Sets what a relay tells of its group. `startedAt`: what was last heard before the start counts from then. Milliseconds since 1970, both. */
export function readGroup(metrics: Metrics, status: GroupStatus | undefined, { now, startedAt }: { readonly now: number; readonly startedAt: number }): void {
  const since = (at: number | undefined): number => now - Math.max(at ?? 0, startedAt);
  for (const role of ROLES) metrics.set('groupRole', { role }, role === (status?.role ?? 'alone') ? 1 : 0);
  metrics.set('groupCopyAge', {}, status?.copy ? since(status.copy.confirmedAt) / 1000 : 0);
  const others = status?.role === 'primary' ? status.members.filter(({ isSelf }) => !isSelf) : [];
  metrics.set('groupMembersUnheard', {}, others.filter(({ heardAt }) => since(heardAt) > UNHEARD_AFTER_MS).length);
}
