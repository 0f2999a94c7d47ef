/**
 * Frees the disk that done groups still take in segments which a few stragglers keep alive: the stragglers' bytes are copied as they are into
 * a new segment, which is synced before the old ones go.
 *
 * Invariant: a kill at any moment loses nothing. Until an old segment is deleted its groups lie on disk twice, and recovery knows them by
 * their ids; what was done meanwhile is noted beside the new segment before the old notes go.
 */
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { CataloguedGroup, GroupCatalogue } from './group-catalogue.ts';
import { sizeOf } from './group-catalogue.ts';
import type { Segment } from './segment.ts';
import { decodeHeader, decodePrefix, isWhole, PREFIX_BYTES } from './segment-format.ts';

/** A segment is rewritten when less than this share of it is not done. */
const LIVE_SHARE = 1 / 4;
const COPY_AT_ONCE_BYTES = 1024 * 1024;

export interface RewriteParts {
  readonly catalogue: GroupCatalogue;
  readonly segmentBytes: number;
  /** Segments that get no more groups. */
  readonly closed: () => readonly Segment[];
  /** A new, empty segment for groups like this one. */
  readonly create: (like: CataloguedGroup) => Promise<Segment>;
  readonly discard: (segment: Segment) => Promise<void>;
  readonly log: Logger;
}

interface Copy {
  readonly group: CataloguedGroup;
  readonly from: Segment;
  readonly offset: number;
}

/** Rewrites what is worth it, lane by lane; never throws. What the disk does not take stays where it is. */
export type Rewrite = () => Promise<void>;

export function createRewrite({ catalogue, segmentBytes, closed, create, discard, log }: RewriteParts): Rewrite {
  /** Segments with a group that cannot be read back: they stay as they are, for whoever opens the group. */
  const spared = new WeakSet<Segment>();

  const stragglers = (): Map<string, CataloguedGroup[]> => {
    const sparse = new Set(closed().filter((segment) => segment.live > 0 && segment.liveBytes < segment.bytes * LIVE_SHARE && !spared.has(segment)));
    if (sparse.size === 0) return new Map();
    return Map.groupBy(
      catalogue.all().filter(({ segment }) => sparse.has(segment)),
      ({ workspaceId, kind }) => `${workspaceId} ${kind}`,
    );
  };

  const rewriteLane = async (groups: readonly CataloguedGroup[]): Promise<void> => {
    const [first] = groups;
    if (!first) return;
    const target = await create(first);
    try {
      const copies = await copyAll(groups, target);
      moveTo(target, copies);
      await target.seal();
      await target.notes.flush();
      const sources = new Set(copies.map(({ from }) => from));
      for (const source of sources) if (source.live === 0) await discard(source);
      log.debug({ segment: target.name, groups: copies.length, segments: sources.size }, 'segments that a few groups kept alive were rewritten');
    } finally {
      if (target.live === 0) await discard(target);
    }
  };

  const copyAll = async (groups: readonly CataloguedGroup[], target: Segment): Promise<Copy[]> => {
    const copies: Copy[] = [];
    let chunks: { readonly group: CataloguedGroup; readonly from: Segment; readonly bytes: Buffer }[] = [];
    const write = async (): Promise<void> => {
      if (chunks.length === 0) return;
      let offset = await target.append(chunks.map(({ bytes }) => bytes));
      for (const { group, from, bytes } of chunks) {
        copies.push({ group, from, offset });
        offset += bytes.length;
      }
      chunks = [];
    };
    for (const group of groups) {
      if (target.bytes >= segmentBytes) break;
      const bytes = await readWhole(group);
      if (bytes) chunks.push({ group, from: group.segment, bytes });
      if (chunks.reduce((sum, chunk) => sum + chunk.bytes.length, 0) >= COPY_AT_ONCE_BYTES) await write();
    }
    await write();
    return copies;
  };

  const readWhole = async (group: CataloguedGroup): Promise<Buffer | undefined> => {
    if (catalogue.get(group.id) !== group) return undefined;
    const bytes = await group.segment.read(group.offset, sizeOf(group)).catch(() => Buffer.alloc(0));
    const prefix = decodePrefix(bytes);
    const header = prefix && decodeHeader(prefix, bytes);
    if (prefix && header?.id === group.id && isWhole(prefix, bytes.subarray(PREFIX_BYTES + prefix.headerBytes))) return bytes;
    spared.add(group.segment);
    return undefined;
  };

  // In one turn of the event loop: a member is noted as done beside the old segment before it, beside the new one after it.
  const moveTo = (target: Segment, copies: readonly Copy[]): void => {
    for (const { group, offset } of copies) {
      for (const position of group.done) target.notes.add(offset, position);
      if (catalogue.get(group.id) === group) catalogue.move(group, target, offset);
    }
  };

  return async () => {
    for (const groups of stragglers().values()) {
      await rewriteLane(groups).catch((error: unknown) =>
        log.warn({ reason: messageOf(error) }, 'segments that a few groups keep alive could not be rewritten; they stay as they are for now'),
      );
    }
  };
}
