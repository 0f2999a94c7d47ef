/** What lies in the segment files, told without a key and without opening a payload: for looking at a cache from outside, whether a relay runs or not. Changes nothing. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kind } from '../batch/kind.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { readDoneNotes } from './done-notes.ts';
import { NOTES_SUFFIX, SEGMENT_SUFFIX } from './segment.ts';
import { scanSegment } from './segment-scan.ts';

/** The segments of one workspace and kind. Batches and bytes are those that are not done; what a running relay noted in the last moment may be missing. */
export interface SegmentFacts {
  readonly workspaceId: WorkspaceId;
  readonly kind: string;
  readonly segments: number;
  /** On disk, done or not. */
  readonly fileBytes: number;
  /** Of the largest segment. */
  readonly largestBytes: number;
  readonly groups: number;
  readonly batches: number;
  readonly bytes: number;
  /** When the oldest of them was received, in milliseconds since 1970. */
  readonly oldestAt?: number;
  /** Stretches that are no group; the end of a segment that is being written may look like one. */
  readonly damaged: number;
  /** Segments that could not be looked into, or that there was no time for: they count in the first three figures only. */
  readonly unread: number;
}

/** Looks into every segment under `root`, until `signal` ends it: the rest is counted as unread. */
export async function readSegmentFacts(root: string, signal: AbortSignal): Promise<SegmentFacts[]> {
  const facts = new Map<string, SegmentFacts>();
  for (const folder of await namesIn(root)) {
    const workspaceId = readWorkspaceId(folder);
    if (!workspaceId) continue;
    for (const file of (await namesIn(join(root, folder))).filter((name) => name.endsWith(SEGMENT_SUFFIX)).sort()) {
      const name = file.slice(0, -SEGMENT_SUFFIX.length);
      const kind = name.slice(0, name.indexOf('-')) as Kind;
      const one = await readSegment({ folder: join(root, folder), name, workspaceId, kind }, signal);
      const before = facts.get(`${workspaceId} ${kind}`);
      if (one) facts.set(`${workspaceId} ${kind}`, before ? sumOf(before, one) : one);
    }
  }
  return [...facts.values()];
}

interface Place {
  readonly folder: string;
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  readonly kind: Kind;
}

/** Undefined when it was deleted meanwhile. */
async function readSegment({ folder, name, workspaceId, kind }: Place, signal: AbortSignal): Promise<SegmentFacts | undefined> {
  const path = join(folder, name + SEGMENT_SUFFIX);
  const size = await stat(path).then(
    (found) => found.size,
    () => undefined,
  );
  if (size === undefined) return undefined;
  const file = { workspaceId, kind, segments: 1, fileBytes: size, largestBytes: size, groups: 0, batches: 0, bytes: 0, damaged: 0 };
  if (signal.aborted) return { ...file, unread: 1 };
  try {
    const content = await scanSegment(path);
    const done = await readDoneNotes(join(folder, name + NOTES_SUFFIX));
    const left = content.groups
      .map(({ header, offset }) => header.members.filter((_member, position) => !done.get(offset)?.has(position)))
      .filter(({ length }) => length > 0);
    const members = left.flat();
    const oldestAt = members.reduce((oldest, { receivedAt }) => Math.min(oldest, receivedAt), Number.POSITIVE_INFINITY);
    const bytes = members.reduce((sum, member) => sum + member.bytes, 0);
    const counted = { ...file, groups: left.length, batches: members.length, bytes, damaged: content.damaged.length, unread: 0 };
    return members.length === 0 ? counted : { ...counted, oldestAt };
  } catch {
    return { ...file, unread: 1 };
  }
}

function sumOf(a: SegmentFacts, b: SegmentFacts): SegmentFacts {
  const oldestAt = Math.min(a.oldestAt ?? Number.POSITIVE_INFINITY, b.oldestAt ?? Number.POSITIVE_INFINITY);
  return {
    workspaceId: a.workspaceId,
    kind: a.kind,
    segments: a.segments + b.segments,
    fileBytes: a.fileBytes + b.fileBytes,
    largestBytes: Math.max(a.largestBytes, b.largestBytes),
    groups: a.groups + b.groups,
    batches: a.batches + b.batches,
    bytes: a.bytes + b.bytes,
    ...(Number.isFinite(oldestAt) ? { oldestAt } : {}),
    damaged: a.damaged + b.damaged,
    unread: a.unread + b.unread,
  };
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return [];
    throw cause;
  });
}
