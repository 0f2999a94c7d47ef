/**
 * Every file of the data folder and what a backup makes of it. One table for both ways: what is taken along, and what may come out of an archive.
 * A file that is in none of the two lists is told to the operator, never passed over.
 */
const MIB = 1024 * 1024;
const GUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
/** A name without a way out: no slash, no dot at its beginning. */
const NAME = '[A-Za-z0-9_][A-Za-z0-9_.@-]{0,150}';

/** What a backup can hold. `state` is in every one. */
export type Part = 'state' | 'audit' | 'cache';

export interface StateFile {
  readonly part: Part;
  /** Bytes it may have. */
  readonly maxBytes: number;
  /** It holds a key that the relay made: sealed on disk where the machine can, in the clear inside the archive. */
  readonly isOwnSecret: boolean;
}

/** The agents' database, in the data folder. */
export const DATABASE = 'management-group.sqlite';
/** The key ring, and the key that seals the audit log; the configuration may have put them elsewhere. */
export const KEY_RING = 'keys/cache.json';
export const AUDIT_KEY = 'keys/audit.key';

const plain = { part: 'state', maxBytes: 64 * MIB, isOwnSecret: false } as const;
const secret = { part: 'state', maxBytes: MIB, isOwnSecret: true } as const;
const database = { ...plain, maxBytes: 4 * 1024 * MIB } as const;
const audit = { part: 'audit', maxBytes: 64 * MIB, isOwnSecret: false } as const;
const cache = { part: 'cache', maxBytes: 8 * 1024 * MIB - 1, isOwnSecret: false } as const;

const FILES: readonly (readonly [pattern: RegExp, file: StateFile])[] = [
  [/^management-group\.sqlite$/, database],
  [/^authority\/(?:root\.pem|issued-until)$/, plain],
  [/^authority\/(?:root\.key|roots\.json)$/, secret],
  [/^keys\/cache\.json$/, secret],
  [/^keys\/audit\.key$/, { ...secret, isOwnSecret: false }],
  [/^routes\.json$/, plain],
  [/^group\/group\.json$/, plain],
  [/^group\/identity\.json$/, secret],
  [/^group\/displaced-before-term-\d{1,15}\.sqlite$/, database],
  [new RegExp(`^upstream/${GUID}/identity\\.pem$`), secret],
  [new RegExp(`^upstream/${GUID}/authority-told$`), plain],
  [/^audit\/(?:audit-\d{12}\.jsonl|head\.json|configuration\.json)$/, audit],
  [new RegExp(`^cache/(?:${NAME}/){0,3}${NAME}$`), cache],
];

/** What belongs to one start or to one machine; its incidents do: their record is always open, and another machine begins its own. */
const NOT_TAKEN: readonly RegExp[] = [
  /^authority\/server\.(?:pem|key)$/,
  /^incidents\.sqlite(?:-(?:wal|shm|journal)|\.damaged)?$/,
  /^management-group\.sqlite-(?:wal|shm|journal)$/,
  /(?:^|\/)\.[^/]*$/,
  /\.sock$/,
];

/** What a backup knows of a file of the data folder, by its path there; undefined when it is not one that goes into an archive. */
export function stateFile(path: string): StateFile | undefined {
  return FILES.find(([pattern]) => pattern.test(path))?.[1];
}

/** Whether it is left out on purpose: the relay makes it anew. */
export function isMadeAnew(path: string): boolean {
  return NOT_TAKEN.some((pattern) => pattern.test(path));
}
