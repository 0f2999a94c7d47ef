import type { GroupIndex } from './group-index.ts';
import type { StoredGroup } from './payload-store.ts';
import type { GroupId } from './segment-format.ts';

export interface Reconciled {
  /** Groups on disk that the index did not know: they got an entry again. */
  readonly restored: number;
  /** Entries whose group is not on disk: they were removed. */
  readonly removed: number;
  /** Entries held by a process that is gone: they may be taken again. */
  readonly released: number;
}

export interface ReconcileParts {
  readonly index: GroupIndex;
  /** Groups that should have an entry, the oldest first. Asked after the index was read, so that what finishes meanwhile is left out. */
  readonly outstanding: () => readonly StoredGroup[];
  readonly has: (id: GroupId) => boolean;
  /** Groups this process works on now. */
  readonly inFlight: () => ReadonlySet<GroupId>;
}

const REMOVE_AT_ONCE = 500;

/**
 * Makes the index agree with the store, which is the truth: an emptied or older Redis costs duplicates, never data. No group may be taken
 * meanwhile, or one that is just being taken would be released as nobody's.
 */
export async function reconcile({ index, outstanding, has, inFlight }: ReconcileParts): Promise<Reconciled> {
  const known = new Set(await index.ids());
  const missing = outstanding().filter((group) => !known.has(group.id));
  await index.addAll(missing, 'backlog');
  const orphans = (await index.takenIds()).filter((id) => !inFlight().has(id));
  for (const id of orphans) await index.release(id);
  const stale = [...known].filter((id) => !has(id) && !inFlight().has(id));
  for (let start = 0; start < stale.length; start += REMOVE_AT_ONCE) {
    await Promise.allSettled(stale.slice(start, start + REMOVE_AT_ONCE).map((id) => index.remove(id)));
  }
  return { restored: missing.length, removed: stale.length, released: orphans.length };
}
