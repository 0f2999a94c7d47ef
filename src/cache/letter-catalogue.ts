import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { DeadLetter } from './dead-letter.ts';

/** What is kept in memory of each dead letter. */
export interface KnownLetter extends Pick<DeadLetter, 'id' | 'workspaceId' | 'dataType' | 'at' | 'reason' | 'status'> {
  readonly fileBytes: number;
}

/** Which letters are wanted. */
export interface LetterFilter {
  /** A workspace's id, or the beginning of it. */
  readonly workspaceId?: string | undefined;
  readonly dataType?: string | undefined;
  /** Only letters after this one: where the page before ended. */
  readonly after?: Pick<DeadLetter, 'id' | 'at'> | undefined;
  /** At most so many. */
  readonly limit?: number | undefined;
}

/** The dead letters of one workspace in figures. */
export interface LetterCount {
  readonly letters: number;
  /** On disk. */
  readonly bytes: number;
  /** When the oldest became one, in milliseconds since 1970. */
  readonly oldestAt?: number;
  /** How many by the workspace's HTTP status; `quarantined` are those that nobody could make sense of. */
  readonly byStatus: Readonly<Record<string, number>>;
}

/** Which dead letters there are, and what they take. */
export interface LetterCatalogue {
  /** Adds a letter, or replaces the one of the same id. */
  add(letter: Omit<KnownLetter, 'fileBytes'>, fileBytes: number): KnownLetter;
  remove(known: KnownLetter): void;
  /** Brings back what was removed, if no other of its id has come. */
  restore(known: KnownLetter): void;
  get(id: string): KnownLetter | undefined;
  /** Whether there is a letter of that workspace and id. */
  has(known: KnownLetter): boolean;
  /** The letters that fit, the oldest first. */
  find(filter: LetterFilter): KnownLetter[];
  /** A workspace's oldest letter but one. */
  oldest(workspaceId: WorkspaceId, but: KnownLetter): KnownLetter | undefined;
  usedBytes(workspaceId?: WorkspaceId): number;
  /** Costs a look at each only after letters have come or gone. */
  count(workspaceId: WorkspaceId): LetterCount;
}

export function createLetterCatalogue(): LetterCatalogue {
  /** By workspace and id: a sender chooses its ids, and must not get at another workspace's letters by that. */
  const letters = new Map<string, KnownLetter>();
  const used = new Map<WorkspaceId, number>();
  /** Counts that still hold. */
  const counts = new Map<WorkspaceId, LetterCount>();
  const use = (workspaceId: WorkspaceId, bytes: number): void => {
    used.set(workspaceId, (used.get(workspaceId) ?? 0) + bytes);
    counts.delete(workspaceId);
  };

  const remove = (known: KnownLetter): void => {
    if (letters.get(keyOf(known)) !== known) return;
    letters.delete(keyOf(known));
    use(known.workspaceId, -known.fileBytes);
  };
  const insert = (known: KnownLetter): void => {
    const before = letters.get(keyOf(known));
    if (before) remove(before);
    letters.set(keyOf(known), known);
    use(known.workspaceId, known.fileBytes);
  };

  return {
    add({ id, workspaceId, dataType, at, reason, status }, fileBytes) {
      const known = { id, workspaceId, dataType, at, reason, ...(status === undefined ? {} : { status }), fileBytes };
      insert(known);
      return known;
    },
    remove,
    restore(known) {
      if (!letters.has(keyOf(known))) insert(known);
    },
    get: (id) => [...used.keys()].map((workspaceId) => letters.get(keyOf({ workspaceId, id }))).find((found) => found !== undefined),
    has: (known) => letters.has(keyOf(known)),
    find({ workspaceId, dataType, after, limit }) {
      const fits = (one: KnownLetter): boolean =>
        (workspaceId === undefined || one.workspaceId.startsWith(workspaceId)) &&
        (dataType === undefined || one.dataType === dataType) &&
        (after === undefined || isBefore(after, one));
      return [...letters.values()]
        .filter(fits)
        .sort((a, b) => (isBefore(a, b) ? -1 : 1))
        .slice(0, limit);
    },
    oldest(workspaceId, but) {
      let oldest: KnownLetter | undefined;
      for (const one of letters.values()) {
        if (one.workspaceId !== workspaceId || one === but) continue;
        if (!oldest || isBefore(one, oldest)) oldest = one;
      }
      return oldest;
    },
    count(workspaceId) {
      const known = counts.get(workspaceId);
      if (known) return known;
      const counted = countOf([...letters.values()].filter((one) => one.workspaceId === workspaceId));
      counts.set(workspaceId, counted);
      return counted;
    },
    usedBytes: (workspaceId) => (workspaceId ? (used.get(workspaceId) ?? 0) : [...used.values()].reduce((sum, one) => sum + one, 0)),
  };
}

function countOf(letters: readonly KnownLetter[]): LetterCount {
  const byStatus: Record<string, number> = {};
  let bytes = 0;
  let oldestAt = Number.POSITIVE_INFINITY;
  for (const { reason, status, fileBytes, at } of letters) {
    const key = reason === 'quarantined' ? reason : String(status ?? reason);
    byStatus[key] = (byStatus[key] ?? 0) + 1;
    bytes += fileBytes;
    oldestAt = Math.min(oldestAt, at);
  }
  return { letters: letters.length, bytes, byStatus, ...(letters.length === 0 ? {} : { oldestAt }) };
}

function keyOf({ workspaceId, id }: { readonly workspaceId: WorkspaceId; readonly id: string }): string {
  return `${workspaceId} ${id}`;
}

function isBefore(a: Pick<KnownLetter, 'id' | 'at'>, b: Pick<KnownLetter, 'id' | 'at'>): boolean {
  return a.at < b.at || (a.at === b.at && a.id < b.id);
}
