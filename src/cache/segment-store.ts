/**
 * PayloadStore on the relay's own disk: `<folder>/<workspace>/<kind>-<id>.segment`. A segment holds one workspace and one kind, so that
 * dropping the oldest of a kind frees whole files. A start never appends to old segments; it begins new ones.
 */
import { join } from 'node:path';
import type { Random } from '../batch/batch-id.ts';
import { openBatch } from '../batch/envelope.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { makePrivateFolder } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { CacheParts } from './cache-parts.ts';
import { setAside } from './damage.ts';
import { type CataloguedGroup, createGroupCatalogue, sizeOf } from './group-catalogue.ts';
import { useOf } from './key-use.ts';
import type { PayloadStore, StoredGroup, StoredMember } from './payload-store.ts';
import { createRecentPayloads } from './recent-payloads.ts';
import { allUnreadable, createSealedGroups } from './sealed-groups.ts';
import type { Segment } from './segment.ts';
import { decodeHeader, decodePrefix, type GroupHeader, PREFIX_BYTES } from './segment-format.ts';
import { recoverSegments } from './segment-recovery.ts';
import { createRewrite } from './segment-rewrite.ts';
import { createSegmentWriter } from './segment-writer.ts';

const NOTES_EVERY_MS = 200;
const REWRITE_EVERY_MS = 60_000;

export interface SegmentStoreOptions {
  readonly folder: string;
  readonly segmentBytes: number;
  /** How much of what was just written stays in memory, in bytes. */
  readonly memoryBytes: number;
}

export interface SegmentStoreParts {
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Told of bytes that could not be read back at the start, with how many. */
  readonly onDamage: (bytes: number) => void;
  readonly onStep?: CacheParts['onStep'];
}

/** Opens the store and reads what the segments hold. */
export async function openSegmentStore(options: SegmentStoreOptions, parts: SegmentStoreParts): Promise<PayloadStore> {
  const { keys, clock, log } = parts;
  const catalogue = createGroupCatalogue();
  const recent = createRecentPayloads(options.memoryBytes);
  const segments = new Set<Segment>();
  const writer = createSegmentWriter({ ...parts, options, catalogue, segments });
  await makePrivateFolder(options.folder);
  await recover();

  async function recover(): Promise<void> {
    const recovered = await recoverSegments(options.folder, parts);
    for (const segment of recovered.segments) segments.add(segment);
    for (const { header, prefix, segment, offset, done } of recovered.groups) {
      const group = catalogue.add(header, prefix, segment, offset);
      for (const position of done) catalogue.finishMember(group, position);
      if (group.keyId !== undefined && !keys.has(group.keyId)) catalogue.quarantine(group);
    }
    for (const lost of useOf(catalogue.quarantined())) {
      log.error(lost, 'a key that sealed part of the cache is lost: what it sealed stays on disk and is not sent; restore the key ring and start again');
    }
    for (const segment of recovered.segments) if (segment.live === 0) await writer.discard(segment);
  }

  function finish(group: CataloguedGroup, positions: Iterable<number>): void {
    for (const position of positions) {
      if (group.done.has(position) || group.memberBytes[position] === undefined) continue;
      group.segment.notes.add(group.offset, position);
      if (!catalogue.finishMember(group, position)) continue;
      recent.remove(group.id);
      if (group.segment.live === 0 && !writer.isBeingWritten(group.segment)) void writer.discard(group.segment);
    }
  }

  async function readFromDisk(group: CataloguedGroup): Promise<StoredMember[]> {
    const bytes = await readBytes(group);
    const prefix = decodePrefix(bytes);
    const header = prefix && decodeHeader(prefix, bytes);
    const members = header?.id === group.id ? openMembers(header, bytes.subarray(PREFIX_BYTES + group.headerBytes), group.done) : allUnreadable(group);
    if (members.some(({ content }) => !content.readable)) {
      await setAside(group.segment, { offset: group.offset, bytes: sizeOf(group) }, join(options.folder, group.workspaceId));
    }
    return members;
  }

  async function readBytes(group: CataloguedGroup): Promise<Buffer> {
    const { segment } = group;
    try {
      return await segment.read(group.offset, sizeOf(group));
    } catch (cause) {
      // It was moved to another segment, and the old one deleted, in this moment.
      if (group.segment !== segment) return await group.segment.read(group.offset, sizeOf(group));
      throw cause;
    }
  }

  function openMembers(header: GroupHeader, payload: Buffer, done: ReadonlySet<number>): StoredMember[] {
    let end = 0;
    return header.members.flatMap((member, position): StoredMember[] => {
      const start = end;
      end += member.sealedBytes;
      if (done.has(position)) return [];
      const context = { workspaceId: header.workspaceId, kind: header.kind, agentId: member.agentId, id: member.id };
      try {
        return [{ position, content: { readable: true, batch: openBatch(payload.subarray(start, end), context, keys) } }];
      } catch (error) {
        return [{ position, content: { readable: false, bytes: member.bytes, message: messageOf(error), summary: member } }];
      }
    });
  }

  const flushNotes = async (): Promise<void> => {
    const flushed = await Promise.allSettled([...segments].map((segment) => segment.notes.flush()));
    const failed = flushed.find((one) => one.status === 'rejected');
    if (failed) log.warn({ err: failed.reason }, 'what is done could not be noted on disk; a restart now would send it again');
  };
  const stopNotes = every(clock, NOTES_EVERY_MS, flushNotes);

  const rewrite = createRewrite({
    catalogue,
    segmentBytes: options.segmentBytes,
    closed: () => [...segments].filter((segment) => !writer.isBeingWritten(segment)),
    create: writer.create,
    discard: writer.discard,
    log,
  });
  let rewriting = Promise.resolve();
  const stopRewriting = every(clock, REWRITE_EVERY_MS, () => {
    rewriting = rewrite();
    return rewriting;
  });

  return {
    async append(batches) {
      const group = await writer.append(batches);
      recent.add(group.id, batches);
      return group;
    },
    async read(id) {
      const group = catalogue.get(id);
      if (!group) return undefined;
      const batches = recent.get(id);
      if (!batches) return await readFromDisk(group);
      return batches.flatMap((batch, position) => (group.done.has(position) ? [] : [{ position, content: { readable: true, batch } } satisfies StoredMember]));
    },
    markDone(id, positions) {
      const group = catalogue.get(id) ?? catalogue.findQuarantined(id);
      if (group) finish(group, positions);
    },
    withdraw(id) {
      const group = catalogue.get(id);
      if (group) finish(group, group.memberBytes.keys());
    },
    has: (id) => catalogue.get(id) !== undefined,
    outstanding: (workspaceId) => catalogue.of(workspaceId).sort((a, b) => a.oldestAt - b.oldestAt),
    *groupsOf(workspaceId, kind) {
      for (const group of catalogue.ofKind(workspaceId, kind)) yield { ...storedGroupOf(group), storedBytes: sizeOf(group) };
    },
    workspaces: () => [...new Set(catalogue.all().map(({ workspaceId }) => workspaceId))],
    groups: catalogue.count,
    cached: catalogue.cached,
    oldestAt: catalogue.oldestAt,
    usedBytes: catalogue.usedBytes,
    ...createSealedGroups(catalogue, segments),
    async close() {
      stopNotes();
      stopRewriting();
      await Promise.all([rewriting, writer.settled()]);
      const closed = await Promise.allSettled([...segments].map((segment) => (segment.live === 0 ? segment.remove() : segment.close())));
      segments.clear();
      const failed = closed.find((one) => one.status === 'rejected');
      if (failed) log.warn({ err: failed.reason }, 'what is done could not be noted on disk; the next start sends it again');
    },
  };
}

function storedGroupOf({ id, workspaceId, kind, batches, bytes, oldestAt }: CataloguedGroup): StoredGroup {
  return { id, workspaceId, kind, batches, bytes, oldestAt };
}
