/**
 * PayloadStore on the relay's own disk: `<folder>/<workspace>/<kind>-<id>.segment`. A segment holds one workspace and one kind, so that
 * dropping the oldest of a kind frees whole files. A start never appends to old segments; it begins new ones.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../batch/batch.ts';
import { createBatchId, type Random } from '../batch/batch-id.ts';
import { openBatch, sealBatch } from '../batch/envelope.ts';
import { type Clock, every } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import { makePrivateFolder, syncFolder } from '../files.ts';
import type { Logger } from '../logger.ts';
import type { KeyRing } from '../workspace/key-ring.ts';
import type { CacheParts } from './cache-parts.ts';
import { setAside } from './damage.ts';
import { type CataloguedGroup, createGroupCatalogue, sizeOf } from './group-catalogue.ts';
import { useOf } from './key-use.ts';
import type { PayloadStore, StoredGroup, StoredMember } from './payload-store.ts';
import { createRecentPayloads } from './recent-payloads.ts';
import { allUnreadable, createSealedGroups } from './sealed-groups.ts';
import { openSegment, type Segment } from './segment.ts';
import { decodeHeader, decodePrefix, encodeGroup, type GroupHeader, type GroupId, PREFIX_BYTES } from './segment-format.ts';
import { recoverSegments } from './segment-recovery.ts';
import { createRewrite } from './segment-rewrite.ts';

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
  const { keys, clock, random, log } = parts;
  const catalogue = createGroupCatalogue();
  const recent = createRecentPayloads(options.memoryBytes);
  const segments = new Set<Segment>();
  const writing = new Map<string, { segment: Segment; groups: number }>();
  /** The last append of each lane: the next one waits for it. */
  const turns = new Map<string, Promise<unknown>>();
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
    for (const segment of recovered.segments) if (segment.live === 0) await discard(segment);
  }

  async function segmentFor(batch: Batch): Promise<{ segment: Segment; groups: number }> {
    const lane = laneOf(batch);
    const current = writing.get(lane);
    // A segment that is written has one key, so that an old key can go with the last segment of its time.
    const isOfThisKey = current?.segment.bytes === 0 || current?.segment.keyIds.has(keys.currentKeyId) === true;
    if (isOfThisKey && current?.segment.writable && current.segment.bytes < options.segmentBytes) return current;
    const next = { segment: await createSegment(batch), groups: 0 };
    writing.set(lane, next);
    if (current) await retire(current.segment);
    return next;
  }

  async function createSegment({ workspaceId, kind }: Pick<Batch, 'workspaceId' | 'kind'>): Promise<Segment> {
    const folder = join(options.folder, workspaceId);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const segment = await openSegment(folder, `${kind}-${createBatchId(clock.now(), random)}`, { create: true, bytes: 0 });
    try {
      await syncFolder(folder);
      await syncFolder(options.folder);
    } catch (cause) {
      await segment.remove().catch(() => {});
      throw cause;
    }
    segments.add(segment);
    return segment;
  }

  async function retire(segment: Segment): Promise<void> {
    await segment.seal().catch((error: unknown) => log.warn({ segment: segment.name, err: error }, 'a full segment could not be closed'));
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
      if (group.done.has(position) || group.memberBytes[position] === undefined) continue;
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

  async function store(first: Batch, batches: readonly Batch[]): Promise<CataloguedGroup> {
    const current = await segmentFor(first);
    const keyId = keys.currentKeyId;
    // Before the first wait: a key must not be removed while something it sealed is on its way to disk.
    current.segment.keyIds.add(keyId);
    const begin = performance.now();
    const sealed = batches.map((batch) => sealBatch(batch, keys));
    const sealedAt = performance.now();
    current.groups += 1;
    const header: GroupHeader = {
      id: `${current.segment.name}.${current.groups}` as GroupId,
      workspaceId: first.workspaceId,
      kind: first.kind,
      keyId,
      members: batches.map((batch, position) => ({ ...summaryOf(batch), sealedBytes: lengthOf(sealed[position] ?? []) })),
    };
    const payload = sealed.flat();
    const head = encodeGroup(header, payload);
    const offset = await current.segment.append([head, ...payload]);
    const group = catalogue.add(header, { headerBytes: head.length - PREFIX_BYTES, payloadBytes: lengthOf(payload) }, current.segment, offset);
    recent.add(group.id, batches);
    noteSteps(batches, begin, sealedAt);
    return group;
  }

  function noteSteps(batches: readonly Batch[], begin: number, sealedAt: number): void {
    if (!parts.onStep) return;
    const storeMs = performance.now() - sealedAt;
    parts.onStep(batches, { step: 'seal', ms: sealedAt - begin, agoMs: storeMs });
    parts.onStep(batches, { step: 'store', ms: storeMs });
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
    closed: () => [...segments].filter((segment) => !isBeingWritten(segment)),
    create: createSegment,
    discard,
    log,
  });
  let rewriting = Promise.resolve();
  const stopRewriting = every(clock, REWRITE_EVERY_MS, () => {
    rewriting = rewrite();
    return rewriting;
  });

  return {
    async append(batches) {
      const [first] = batches;
      if (!first) throw new RelayError('relay.cache.empty-group', 'A group needs at least one batch.');
      const turn = (turns.get(laneOf(first)) ?? Promise.resolve()).then(() => store(first, batches));
      turns.set(
        laneOf(first),
        turn.catch(() => {}),
      );
      return await turn;
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
      await Promise.all([rewriting, ...turns.values()]);
      const closed = await Promise.allSettled([...segments].map((segment) => (segment.live === 0 ? segment.remove() : segment.close())));
      segments.clear();
      const failed = closed.find((one) => one.status === 'rejected');
      if (failed) log.warn({ err: failed.reason }, 'what is done could not be noted on disk; the next start sends it again');
    },
  };
}

function summaryOf(batch: Batch): { id: Batch['id']; agentId: Batch['agentId']; dataType: string; receivedAt: number; bytes: number } {
  return { id: batch.id, agentId: batch.agentId, dataType: batch.dataType, receivedAt: batch.receivedAt, bytes: batch.body.length };
}

function storedGroupOf({ id, workspaceId, kind, batches, bytes, oldestAt }: CataloguedGroup): StoredGroup {
  return { id, workspaceId, kind, batches, bytes, oldestAt };
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function laneOf({ workspaceId, kind }: Batch): string {
  return `${workspaceId} ${kind}`;
}
