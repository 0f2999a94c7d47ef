/** Whether one release can take over from another, and whether there is a way back; by the formats of both. Pure. */
import type { Formats } from './facts-schema.ts';
import type { Part } from './snapshot.ts';

/** Formats that a snapshot puts back (`snapshot.ts`): what was written in them during a trial can be spared, unlike what was acknowledged. */
const SNAPSHOT_FORMATS = ['managementGroup', 'authority'] as const;

export interface Compatibility {
  /** What `to` would find on disk and could not read, a sentence each. */
  readonly unreadable: readonly string[];
  /** The same, where the snapshot taken when `to` ran before could be put in its place; and of which formats. */
  readonly newer: readonly string[];
  readonly newerParts: readonly Part[];
  /** What `to` would write and `from` could not read, so that there would be no way back; a sentence each. */
  readonly oneWay: readonly string[];
}

/**
 * Compares the release that runs with the one that is to follow. A format that only one of them knows is a file that the other leaves alone.
 * Whoever follows a release must read all that it reads: older data may still be in the cache. Who takes over again from a newer one (`isReturn`)
 * must read what that one writes.
 */
export function compatibilityOf(from: Formats, to: Formats, isReturn: boolean): Compatibility {
  const both = Object.keys(from).flatMap((name) => {
    const [before, after] = [from[name], to[name]];
    return before && after ? [{ name, before, after }] : [];
  });
  const unread = both.flatMap(({ name, before, after }) => {
    // A database is brought to the newest layout whenever it is opened: nothing older is there.
    const found = isReturn || name === 'managementGroup' ? [before.writes] : before.reads;
    const missing = found.filter((number) => !after.reads.includes(number));
    const sentence = `${name}: ${listOf(missing)} may be on disk, it reads ${listOf(after.reads)}`;
    return missing.length === 0 ? [] : [{ part: isReturn ? partOf(name) : undefined, sentence }];
  });
  const changed = both.filter(({ before, after }) => !before.reads.includes(after.writes));
  return {
    unreadable: unread.filter(({ part }) => part === undefined).map(({ sentence }) => sentence),
    newer: unread.filter(({ part }) => part !== undefined).map(({ sentence }) => sentence),
    newerParts: unread.flatMap(({ part }) => part ?? []),
    oneWay: changed
      .filter(({ name }) => partOf(name) === undefined)
      .map(({ name, before, after }) => `${name}: it writes ${after.writes}, the release that runs reads ${listOf(before.reads)}`),
  };
}

function partOf(name: string): Part | undefined {
  return SNAPSHOT_FORMATS.find((one) => one === name);
}

function listOf(numbers: readonly number[]): string {
  return numbers.join(', ');
}
