import { KINDS } from '../../src/batch/kind.ts';
import type { GroupIndex, TakenGroup } from '../../src/cache/group-index.ts';
import type { StoredGroup } from '../../src/cache/payload-store.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import type { Place } from '../../src/cache/taking-order.ts';

/** A group index in memory, for tests of what uses one. It passes the contract of the real one. */
export interface MemoryIndex extends GroupIndex {
  /** While true every call fails, as without Redis. */
  isAway: boolean;
  /** What was done, in order: `putBack 3`, `delay 4` …; takes and extensions are left out. */
  readonly calls: string[];
  /** Takes a group for nobody, as when the answer to a take is lost. */
  loseNext(): void;
}

interface Entry {
  readonly group: StoredGroup;
  readonly place: Place;
  state: 'waiting' | 'taken' | { readonly untilMs: number };
}

/** `now` in milliseconds since 1970. */
export function createMemoryIndex(now: () => number): MemoryIndex {
  const entries = new Map<GroupId, Entry>();
  let waiting: GroupId[] = [];
  let backlog: GroupId[] = [];
  let hasCanary = false;

  const guard = (call: string): Promise<void> => {
    if (index.isAway) return Promise.reject(new Error('Redis is away'));
    index.calls.push(call);
    return Promise.resolve();
  };
  const moveToFront = (id: GroupId, from: (entry: Entry) => boolean): void => {
    const entry = entries.get(id);
    if (!entry || !from(entry)) return;
    entry.state = 'waiting';
    waiting.unshift(id);
  };
  const isTaken = (entry: Entry): boolean => entry.state === 'taken';
  const isDelayed = (entry: Entry): boolean => typeof entry.state === 'object';

  const promoteDue = (): void => {
    for (const [id, entry] of entries) {
      if (typeof entry.state !== 'object' || entry.state.untilMs > now()) continue;
      entry.state = 'waiting';
      waiting.push(id);
    }
  };
  const next = (): TakenGroup | undefined => {
    promoteDue();
    if (hasCanary) {
      hasCanary = false;
      return { id: 'canary' as GroupId, oldestAt: 0, bytes: 0, isCanary: true, job: undefined as never };
    }
    const id = waiting.shift() ?? backlog.shift();
    const entry = id && entries.get(id);
    if (!id || !entry) return undefined;
    entry.state = 'taken';
    return { id, oldestAt: entry.group.oldestAt, bytes: entry.group.bytes, isCanary: false, job: undefined as never };
  };
  const forget = (id: GroupId): void => {
    entries.delete(id);
    waiting = waiting.filter((other) => other !== id);
    backlog = backlog.filter((other) => other !== id);
  };
  const rankOf = (id: GroupId): number => KINDS.indexOf(entries.get(id)?.group.kind ?? 'Performance');

  const index: MemoryIndex = {
    isAway: false,
    calls: [],
    loseNext: () => void next(),
    add: (group, place) => index.addAll([group], place),
    async addAll(groups, place = 'fresh') {
      await guard(`add ${groups.map(({ id }) => numberOf(id)).join(' ')}`);
      for (const group of groups) {
        if (entries.has(group.id)) continue;
        entries.set(group.id, { group, place, state: 'waiting' });
        (place === 'fresh' ? waiting : backlog).push(group.id);
      }
      backlog.sort((a, b) => rankOf(b) - rankOf(a));
    },
    async addCanary() {
      await guard('addCanary');
      hasCanary = true;
    },
    async bringBacklogForward() {
      if (index.isAway) throw new Error('Redis is away');
      await Promise.resolve();
      const [first, ...others] = backlog;
      if (first === undefined) return false;
      backlog = others;
      waiting.unshift(first);
      return true;
    },
    reconnect: () => void index.calls.push('reconnect'),
    async take() {
      if (index.isAway) throw new Error('Redis is away');
      await Promise.resolve();
      return next();
    },
    async finish({ id }) {
      await guard(`finish ${numberOf(id)}`);
      forget(id);
    },
    async delay({ id }, untilMs) {
      await guard(`delay ${numberOf(id)}`);
      const entry = entries.get(id);
      if (entry && isTaken(entry)) entry.state = { untilMs };
    },
    async bringForward(id) {
      await guard(`bringForward ${numberOf(id)}`);
      moveToFront(id, isDelayed);
    },
    async putBack({ id }) {
      await guard(`putBack ${numberOf(id)}`);
      moveToFront(id, isTaken);
    },
    async extend() {
      if (index.isAway) throw new Error('Redis is away');
      await Promise.resolve();
    },
    async ids() {
      await guard('ids');
      return [...entries.keys()];
    },
    async counts() {
      await guard('counts');
      const states = [...entries.values()].map(({ state }) => state);
      return {
        waiting: waiting.length,
        prioritized: backlog.length,
        active: states.filter((state) => state === 'taken').length,
        delayed: states.filter((state) => typeof state === 'object').length,
        failed: 0,
      };
    },
    async takenIds() {
      await guard('takenIds');
      return [...entries].filter(([, entry]) => isTaken(entry)).map(([id]) => id);
    },
    async release(id) {
      await guard(`release ${numberOf(id)}`);
      moveToFront(id, isTaken);
    },
    async remove(id) {
      await guard(`remove ${numberOf(id)}`);
      forget(id);
    },
    close: () => Promise.resolve(),
  };
  return index;
}

function numberOf(id: GroupId): string {
  return id.slice(id.lastIndexOf('.') + 1);
}
