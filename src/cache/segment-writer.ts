/**
 * Writes groups into segments: one lane for each workspace and kind, in which one append waits for the one before. A segment that is full, or
 * of which nobody knows what is on disk, is closed and the next one begins; one in which nothing is left that is not done is deleted.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Batch } from '../batch/batch.ts';
import { createBatchId } from '../batch/batch-id.ts';
import { sealBatch } from '../batch/envelope.ts';
import { RelayError } from '../errors.ts';
import { syncFolder } from '../files.ts';
import type { CataloguedGroup, GroupCatalogue } from './group-catalogue.ts';
import { openSegment, type Segment } from './segment.ts';
import { encodeGroup, type GroupHeader, type GroupId, PREFIX_BYTES } from './segment-format.ts';
import type { SegmentStoreOptions, SegmentStoreParts } from './segment-store.ts';

export interface SegmentWriterParts extends SegmentStoreParts {
  readonly options: SegmentStoreOptions;
  readonly catalogue: Pick<GroupCatalogue, 'add'>;
  /** All that are there; those that are created and discarded are added and removed. */
  readonly segments: Set<Segment>;
}

export interface SegmentWriter {
  /** Seals and stores batches of one workspace and kind as one group. Resolves when they are on stable storage; throws and keeps nothing otherwise. */
  append(batches: readonly Batch[]): Promise<CataloguedGroup>;
  create(lane: Pick<Batch, 'workspaceId' | 'kind'>): Promise<Segment>;
  /** Deletes a segment. One that cannot be deleted now is deleted at the next start. */
  discard(segment: Segment): Promise<void>;
  isBeingWritten(segment: Segment): boolean;
  /** Resolves when no append is under way. */
  settled(): Promise<void>;
}

export function createSegmentWriter(parts: SegmentWriterParts): SegmentWriter {
  const { options, catalogue, segments, keys, clock, random, log } = parts;
  const writing = new Map<string, { segment: Segment; groups: number }>();
  /** The last append of each lane: the next one waits for it. */
  const turns = new Map<string, Promise<unknown>>();

  async function segmentFor(batch: Batch): Promise<{ segment: Segment; groups: number }> {
    const lane = laneOf(batch);
    const current = writing.get(lane);
    // A segment that is written has one key, so that an old key can go with the last segment of its time.
    const isOfThisKey = current?.segment.bytes === 0 || current?.segment.keyIds.has(keys.currentKeyId) === true;
    if (isOfThisKey && current?.segment.writable && current.segment.bytes < options.segmentBytes) return current;
    const next = { segment: await create(batch), groups: 0 };
    writing.set(lane, next);
    if (current) await retire(current.segment);
    return next;
  }

  async function create({ workspaceId, kind }: Pick<Batch, 'workspaceId' | 'kind'>): Promise<Segment> {
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
    noteSteps(batches, begin, sealedAt);
    return catalogue.add(header, { headerBytes: head.length - PREFIX_BYTES, payloadBytes: lengthOf(payload) }, current.segment, offset);
  }

  function noteSteps(batches: readonly Batch[], begin: number, sealedAt: number): void {
    if (!parts.onStep) return;
    const storeMs = performance.now() - sealedAt;
    parts.onStep(batches, { step: 'seal', ms: sealedAt - begin, agoMs: storeMs });
    parts.onStep(batches, { step: 'store', ms: storeMs });
  }

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
    create,
    discard,
    isBeingWritten: (segment) => segment.writable && [...writing.values()].some((current) => current.segment === segment),
    settled: async () => void (await Promise.all(turns.values())),
  };
}

function summaryOf(batch: Batch): { id: Batch['id']; agentId: Batch['agentId']; dataType: string; receivedAt: number; bytes: number } {
  return { id: batch.id, agentId: batch.agentId, dataType: batch.dataType, receivedAt: batch.receivedAt, bytes: batch.body.length };
}

function lengthOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, chunk) => sum + chunk.length, 0);
}

function laneOf({ workspaceId, kind }: Batch): string {
  return `${workspaceId} ${kind}`;
}
