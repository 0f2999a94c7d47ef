/**
 * PayloadStore on the relay's own disk: `<folder>/<workspace>/<kind>-<id>.segment`. A segment holds one workspace and one kind, so that
 * dropping the oldest of a kind frees whole files. A start never appends to old segments; it begins new ones.
 */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../batch/batch.ts';
import { createBatchId, type Random } from '../batch/batch-id.ts';
import { openBatch, sealBatch } from '../batch/envelope.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder, syncFolder } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import { readWorkspaceId } from '../workspace/workspace-id.ts';
import { setAside } from './damage.ts';
import { readDoneNotes } from './done-notes.ts';
import { type CataloguedGroup, createGroupCatalogue, sizeOf } from './group-catalogue.ts';
import type { PayloadStore, StoredMember } from './payload-store.ts';
import { createRecentPayloads } from './recent-payloads.ts';
import { NOTES_SUFFIX, openSegment, SEGMENT_SUFFIX, type Segment } from './segment.ts';
import { decodeHeader, decodePrefix, encodeGroup, type GroupHeader, type GroupId, PREFIX_BYTES } from './segment-format.ts';
import { scanSegment } from './segment-scan.ts';

const NOTES_EVERY_MS = 200;

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
}

/** Opens the store and reads what the segments hold. */
export async function openSegmentStore(options: SegmentStoreOptions, parts: SegmentStoreParts): Promise<PayloadStore> {
  const { keys, clock, random, log } = parts;
  const catalogue = createGroupCatalogue();
  const recent = createRecentPayloads(options.memoryBytes);
  const segments = new Set<Segment>();
  const writing = new Map<string, { segment: Segment; groups: number }>();
  await makePrivateFolder(options.folder);
  await recover();

  async function recover(): Promise<void> {
    for (const entry of await readdir(options.folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || !readWorkspaceId(entry.name)) continue;
      const folder = join(options.folder, entry.name);
      const names = (await readdir(folder)).filter((name) => name.endsWith(SEGMENT_SUFFIX)).map((name) => name.slice(0, -SEGMENT_SUFFIX.length));
      for (const name of names.sort(byAge)) await recoverSegment(folder, name);
    }
  }

  async function recoverSegment(folder: string, name: string): Promise<void> {
    const content = await scanSegment(join(folder, name + SEGMENT_SUFFIX));
    const done = await readDoneNotes(join(folder, name + NOTES_SUFFIX));
    const segment = await openSegment(folder, name, { create: false, bytes: content.bytes });
    segments.add(segment);
    for (const stretch of content.damaged) {
      await setAside(segment, stretch, folder);
      parts.onDamage(stretch.bytes);
      log.error(
        { segment: name, offset: stretch.offset, bytes: stretch.bytes },
        'bytes of a segment cannot be read; they were set aside in the folder "damaged"',
      );
    }
    for (const found of content.groups) {
      const group = catalogue.add(found.header, found.prefix, segment, found.offset);
      for (const position of done.get(found.offset) ?? []) catalogue.finishMember(group, position);
    }
    if (segment.live === 0) await discard(segment);
  }

  async function segmentFor(batch: Batch): Promise<{ segment: Segment; groups: number }> {
    const lane = `${batch.workspaceId} ${batch.kind}`;
    const current = writing.get(lane);
    if (current?.segment.writable && current.segment.bytes < options.segmentBytes) return current;
    const folder = join(options.folder, batch.workspaceId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segment = await openSegment(folder, `${batch.kind}-${createBatchId(clock.now(), random)}`, { create: true, bytes: 0 });
    await syncFolder(folder);
    await syncFolder(options.folder);
    const next = { segment, groups: 0 };
    segments.add(segment);
    writing.set(lane, next);
    if (current) await retire(current.segment);
    return next;
  }

  async function retire(segment: Segment): Promise<void> {
    await segment.seal();
    if (segment.live === 0) await discard(segment);
  }

  async function discard(segment: Segment): Promise<void> {
    segments.delete(segment);
    await segment
      .remove()
      .catch((error: unknown) => log.warn({ segment: segment.name, err: error }, 'a segment that is done could not be deleted; the next start tries again'));
  }

  function finish(group: CataloguedGroup, positions: Iterable<number>): void {
    for (const position of positions) {
      if (group.done.has(position)) continue;
      group.segment.notes.add(group.offset, position);
      if (!catalogue.finishMember(group, position)) continue;
      recent.remove(group.id);
      if (group.segment.live === 0 && !isBeingWritten(group.segment)) void discard(group.segment);
    }
  }

  function isBeingWritten(segment: Segment): boolean {
    return segment.writable && [...writing.values()].some((current) => current.segment === segment);
  }

  async function readFromDisk(group: CataloguedGroup): Promise<StoredMember[]> {
    const bytes = await group.segment.read(group.offset, sizeOf(group));
    const prefix = decodePrefix(bytes);
    const header = prefix && decodeHeader(prefix, bytes);
    const members = header?.id === group.id ? openMembers(header, bytes.subarray(PREFIX_BYTES + group.headerBytes), group.done) : allUnreadable(group);
    if (members.some(({ content }) => !content.readable)) {
      await setAside(group.segment, { offset: group.offset, bytes: sizeOf(group) }, join(options.folder, group.workspaceId));
    }
    return members;
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
        return [{ position, content: { readable: false, bytes: member.bytes, message: messageOf(error) } }];
      }
    });
  }

  const flushNotes = async (): Promise<void> => {
    const flushed = await Promise.allSettled([...segments].map((segment) => segment.notes.flush()));
    const failed = flushed.find((one) => one.status === 'rejected');
    if (failed) log.warn({ err: failed.reason }, 'what is done could not be noted on disk; a restart now would send it again');
  };
  const stopNotes = every(clock, NOTES_EVERY_MS, flushNotes);

  return {
    async append(batches) {
      const [first] = batches;
      if (!first) throw new RelayError('relay.cache.empty-group', 'A group needs at least one batch.');
      const current = await segmentFor(first);
      const sealed = batches.map((batch) => sealBatch(batch, keys));
      current.groups += 1;
      const header: GroupHeader = {
        id: `${current.segment.name}.${current.groups}` as GroupId,
        workspaceId: first.workspaceId,
        kind: first.kind,
        members: batches.map((batch, position) => ({ ...summaryOf(batch), sealedBytes: lengthOf(sealed[position] ?? []) })),
      };
      const payload = sealed.flat();
      const head = encodeGroup(header, payload);
      const offset = await current.segment.append([head, ...payload]);
      const group = catalogue.add(header, { headerBytes: head.length - PREFIX_BYTES, payloadBytes: lengthOf(payload) }, current.segment, offset);
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
      const group = catalogue.get(id);
      if (group) finish(group, positions);
    },
    withdraw(id) {
      const group = catalogue.get(id);
      if (group) finish(group, group.memberBytes.keys());
    },
    has: (id) => catalogue.get(id) !== undefined,
    outstanding: (workspaceId) => catalogue.of(workspaceId).sort((a, b) => a.oldestAt - b.oldestAt),
    groups: catalogue.count,
    cached: catalogue.cached,
    oldestAt: (workspaceId) => oldestOf(catalogue.of(workspaceId)),
    usedBytes: catalogue.usedBytes,
    async close() {
      stopNotes();
      await Promise.all([...segments].map((segment) => (segment.live === 0 ? segment.remove() : segment.close())));
      segments.clear();
    },
  };
}

function allUnreadable(group: CataloguedGroup): StoredMember[] {
  const message = `the group is not where segment ${group.segment.name} had it`;
  return group.memberBytes.flatMap((bytes, position) =>
    group.done.has(position) ? [] : [{ position, content: { readable: false, bytes, message } } satisfies StoredMember],
  );
}

function summaryOf(batch: Batch): { id: Batch['id']; agentId: Batch['agentId']; dataType: string; receivedAt: number; bytes: number } {
  return { id: batch.id, agentId: batch.agentId, dataType: batch.dataType, receivedAt: batch.receivedAt, bytes: batch.body.length };
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function oldestOf(groups: readonly CataloguedGroup[]): number | undefined {
  return groups.reduce<number | undefined>((oldest, group) => (oldest === undefined || group.oldestAt < oldest ? group.oldestAt : oldest), undefined);
}

// `<kind>-<UUID version 7>`: the id's order is the order of creation.
function byAge(a: string, b: string): number {
  return a.slice(a.indexOf('-')).localeCompare(b.slice(b.indexOf('-')));
}
