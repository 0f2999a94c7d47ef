import type { Amount } from './balance.ts';
import type { CataloguedGroup } from './group-catalogue.ts';

/** What one key sealed and is not done. */
export interface KeyUse extends Amount {
  readonly keyId: string;
  readonly groups: number;
}

/** Counts groups, and what of them is not done, by the key that sealed them. */
export function useOf(groups: Iterable<CataloguedGroup>): KeyUse[] {
  const uses = new Map<string, KeyUse>();
  for (const group of groups) {
    if (group.keyId === undefined) continue;
    const before = uses.get(group.keyId) ?? { keyId: group.keyId, groups: 0, batches: 0, bytes: 0 };
    const left = group.memberBytes.filter((_bytes, position) => !group.done.has(position));
    const bytes = left.reduce((sum, one) => sum + one, before.bytes);
    uses.set(group.keyId, { keyId: group.keyId, groups: before.groups + 1, batches: before.batches + left.length, bytes });
  }
  return [...uses.values()];
}
