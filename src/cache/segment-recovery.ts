/**
 * What the segments hold after a start. Damage never stops a start and is never deleted unseen: it is copied aside, and a segment whose damage
 * could not be copied is kept. A group that lies in two segments, because a rewrite was cut short, is found once, with the notes of both.
 */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../logger.ts';
import { readWorkspaceId } from '../workspace/workspace-id.ts';
import { setAside } from './damage.ts';
import { readDoneNotes } from './done-notes.ts';
import { NOTES_SUFFIX, openSegment, SEGMENT_SUFFIX, type Segment } from './segment.ts';
import type { GroupId } from './segment-format.ts';
import { type DamagedStretch, endOf, type FoundGroup, scanSegment } from './segment-scan.ts';

export interface RecoveredGroup extends FoundGroup {
  readonly segment: Segment;
  /** Positions of the members that are done; fewer than there are members. */
  readonly done: ReadonlySet<number>;
}

export interface Recovered {
  readonly segments: readonly Segment[];
  /** Groups that are not done, the oldest first. */
  readonly groups: readonly RecoveredGroup[];
}

export interface RecoveryParts {
  readonly log: Logger;
  /** Told of bytes that could not be read back, with how many; once for each stretch, however often the relay starts. */
  readonly onDamage: (bytes: number) => void;
}

type Found = Map<GroupId, FoundGroup & { readonly segment: Segment; readonly done: Set<number> }>;

/** Reads every segment under `root`: `<root>/<workspace>/<kind>-<id>.segment`. */
export async function recoverSegments(root: string, parts: RecoveryParts): Promise<Recovered> {
  const segments: Segment[] = [];
  const found: Found = new Map();
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || !readWorkspaceId(entry.name)) continue;
    const folder = join(root, entry.name);
    for (const name of await namesIn(folder)) segments.push(await recoverSegment(folder, name, found, parts));
  }
  const groups = [...found.values()].filter(({ header, done }) => done.size < header.members.length);
  return { segments, groups: groups.sort((a, b) => ageOf(a) - ageOf(b)) };

  // Oldest first. Notes without their segment are left from a deletion that was cut short.
  async function namesIn(folder: string): Promise<string[]> {
    const files = await readdir(folder);
    const names = files.filter((file) => file.endsWith(SEGMENT_SUFFIX)).map((file) => file.slice(0, -SEGMENT_SUFFIX.length));
    const kept = new Set(names);
    const orphans = files.filter((file) => file.endsWith(NOTES_SUFFIX) && !kept.has(file.slice(0, -NOTES_SUFFIX.length)));
    for (const orphan of orphans) await rm(join(folder, orphan), { force: true });
    return names.sort(byAge);
  }
}

async function recoverSegment(folder: string, name: string, found: Found, parts: RecoveryParts): Promise<Segment> {
  const content = await scanSegment(join(folder, name + SEGMENT_SUFFIX));
  const notes = await readDoneNotes(join(folder, name + NOTES_SUFFIX));
  const segment = await openSegment(folder, name, { create: false, bytes: content.bytes });
  const isOurs = ({ header }: FoundGroup): boolean => folder.endsWith(`/${header.workspaceId}`);
  const foreign = content.groups.filter((group) => !isOurs(group)).map((group) => ({ offset: group.offset, bytes: endOf(group) - group.offset }));
  for (const stretch of [...content.damaged, ...foreign]) await saveDamage(segment, stretch, folder, parts);
  for (const group of content.groups.filter(isOurs)) {
    const known = found.get(group.header.id) ?? { ...group, segment, done: new Set<number>() };
    found.set(group.header.id, known);
    for (const position of notes.get(group.offset) ?? []) if (position < group.header.members.length) known.done.add(position);
  }
  return segment;
}

async function saveDamage(segment: Segment, stretch: DamagedStretch, folder: string, { log, onDamage }: RecoveryParts): Promise<void> {
  const facts = { segment: segment.name, offset: stretch.offset, bytes: stretch.bytes };
  try {
    if (await setAside(segment, stretch, folder)) {
      onDamage(stretch.bytes);
      log.error(facts, 'bytes of a segment cannot be read; they were set aside in the folder "damaged"');
    }
    if (stretch.offset + stretch.bytes === segment.bytes) await cutTail(segment, stretch.offset, folder);
  } catch (error) {
    // It counts as one more group that is not done, so that the segment outlives this run.
    segment.live += 1;
    log.error({ ...facts, err: error }, 'bytes of a segment cannot be read, nor could they be set aside; the segment is kept, the next start tries again');
  }
}

async function cutTail(segment: Segment, offset: number, folder: string): Promise<void> {
  const file = await open(join(folder, segment.name + SEGMENT_SUFFIX), 'r+');
  try {
    await file.truncate(offset);
    await file.sync();
  } finally {
    await file.close();
  }
  segment.bytes = offset;
}

function ageOf({ header }: FoundGroup): number {
  return header.members.reduce((oldest, member) => Math.min(oldest, member.receivedAt), Number.POSITIVE_INFINITY);
}

// `<kind>-<UUID version 7>`: the id's order is the order of creation.
function byAge(a: string, b: string): number {
  return a.slice(a.indexOf('-')).localeCompare(b.slice(b.indexOf('-')));
}
