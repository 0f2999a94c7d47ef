import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PayloadStore } from '../../src/cache/payload-store.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { batchesOf } from '../contracts/payload-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, OTHER, START_MS, textsOf, WORKSPACE } from './batches.ts';
import { type SegmentRig, segmentRig } from './segment-rig.ts';

const SEGMENT_BYTES = 20_000;
const GROUPS = 60;
const A_MINUTE_MS = 60_000;

/** A store of several full segments, each kept alive by one group of two, of which one member is done. */
async function withStragglers(rig: SegmentRig): Promise<{ open: PayloadStore; left: GroupId[]; texts: string[] }> {
  const open = await rig.open({ segmentBytes: SEGMENT_BYTES });
  const ids: GroupId[] = [];
  for (let at = 0; at < GROUPS; at += 1) {
    const receivedAt = START_MS + at;
    // Segments are named by their moment: the first is the oldest.
    rig.clock.advance(1);
    ids.push((await open.append([batchOf(`done ${at}`, { receivedAt }), batchOf(`left ${at} ${'x'.repeat(900)}`, { receivedAt })])).id);
  }
  const isLeft = (at: number): boolean => at % 12 === 5;
  for (const [at, id] of ids.entries()) open.markDone(id, isLeft(at) ? [0] : [0, 1]);
  await eventually('whole segments are gone', async () => (await rig.segments()).length <= 5);
  const left = ids.filter((_, at) => isLeft(at));
  return { open, left, texts: left.map((_, at) => `left ${at * 12 + 5} ${'x'.repeat(900)}`) };
}

async function textsIn(open: PayloadStore): Promise<string[]> {
  const texts: string[] = [];
  for (const { id } of open.outstanding(WORKSPACE)) texts.push(...textsOf(batchesOf(await open.read(id))));
  return texts;
}

async function bytesOnDisk({ folder, segments }: SegmentRig): Promise<number> {
  const sizes = await Promise.all((await segments()).map(async (name) => (await stat(join(folder, WORKSPACE, name)).catch(() => undefined))?.size ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Turns the clock to the next rewrite and waits for it: what is done but not deleted is the segment that is written now, at most. */
async function rewrite(rig: SegmentRig): Promise<void> {
  const before = await rig.segments();
  rig.clock.advance(A_MINUTE_MS);
  await eventually('the old segments are gone', async () => {
    const now = await rig.segments();
    return before.slice(0, -1).every((name) => !now.includes(name));
  });
}

describe('segments that a few stragglers keep alive', () => {
  it('are rewritten without the rest; the stragglers can be read, before and after a start', async () => {
    await using rig = await segmentRig();
    const { open, texts } = await withStragglers(rig);
    const before = await bytesOnDisk(rig);
    await rewrite(rig);
    assert.ok((await bytesOnDisk(rig)) < before / 2, `${before} bytes before`);
    assert.deepEqual(await textsIn(open), texts);
    const used = open.usedBytes();
    await open.close();
    const again = await rig.open();
    assert.deepEqual(await textsIn(again), texts);
    assert.equal(again.usedBytes(), used);
    assert.deepEqual(rig.damage, []);
    await again.close();
  });

  it('are left alone while more than a quarter of them is not done', async () => {
    await using rig = await segmentRig();
    const open = await rig.open({ segmentBytes: SEGMENT_BYTES });
    const ids: GroupId[] = [];
    for (let at = 0; at < GROUPS; at += 1) ids.push((await open.append([batchOf('x'.repeat(900))])).id);
    for (const [at, id] of ids.entries()) if (at % 2 === 0) open.markDone(id, [0]);
    const before = await rig.segments();
    rig.clock.advance(A_MINUTE_MS);
    await open.close();
    assert.deepEqual(await rig.segments(), before);
  });

  it('bring nothing twice and lose nothing when the machine stops before the old ones are deleted', async () => {
    await using rig = await segmentRig();
    await using copy = await segmentRig();
    const { open, left, texts } = await withStragglers(rig);
    // The notes as they are when the rewrite begins.
    rig.clock.advance(200);
    const folder = join(rig.folder, WORKSPACE);
    await eventually('the notes are on disk', async () => (await readdir(folder)).filter((name) => name.endsWith('.done')).length >= 4);
    await cp(folder, join(copy.folder, WORKSPACE), { recursive: true });
    await rewrite(rig);
    open.markDone(left[0] as GroupId, [1]);
    await open.close();
    // Old and new side by side; the first straggler is done by the new notes alone.
    await cp(join(copy.folder, WORKSPACE), folder, { recursive: true, force: false });
    const again = await rig.open();
    assert.deepEqual(await textsIn(again), texts.slice(1));
    assert.deepEqual(again.cached(WORKSPACE, 'Event').batches, texts.length - 1);
    await again.close();
  });

  it('lose nothing when the machine stops while the new one is written, at whatever byte', async () => {
    await using rig = await segmentRig();
    const { open, texts } = await withStragglers(rig);
    await open.close();
    const folder = join(rig.folder, WORKSPACE);
    const old = new Map<string, Buffer>();
    for (const name of await readdir(folder)) old.set(name, await readFile(join(folder, name)));
    const second = await rig.open({ segmentBytes: SEGMENT_BYTES });
    rig.clock.advance(A_MINUTE_MS);
    await eventually('the old segments are gone', async () => (await rig.segments()).every((name) => !old.has(name)));
    await second.close();
    const [name] = await rig.segments();
    assert.ok(name);
    const written = await readFile(join(folder, name));
    for (let length = 0; length <= written.length; length += 487) {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      for (const [file, bytes] of old) await writeFile(join(folder, file), bytes);
      await writeFile(join(folder, name), written.subarray(0, length));
      const again = await rig.open();
      assert.deepEqual(await textsIn(again), texts, `stopped after ${length} bytes`);
      await again.close();
    }
  });

  it('do not bring back what is done while they are copied', async () => {
    await using rig = await segmentRig();
    const { open, left, texts } = await withStragglers(rig);
    rig.clock.advance(A_MINUTE_MS);
    // The copying has begun and takes many turns of the event loop.
    for (const id of left.slice(0, 3)) {
      await new Promise(setImmediate);
      open.markDone(id, [1]);
    }
    await eventually('the stragglers lie in one segment', async () => (await rig.segments()).length <= 2);
    await open.close();
    const again = await rig.open();
    assert.deepEqual(await textsIn(again), texts.slice(3));
    await again.close();
  });

  it('can be read at every moment of it', async () => {
    await using rig = await segmentRig();
    const { open, texts } = await withStragglers(rig);
    const before = await rig.segments();
    rig.clock.advance(A_MINUTE_MS);
    await eventually('the old segments are gone', async () => {
      assert.deepEqual(await textsIn(open), texts);
      const now = await rig.segments();
      return before.slice(0, -1).every((name) => !now.includes(name));
    });
    await open.close();
  });

  it('stay where they are when one of them cannot be read back, and the others are rewritten', async () => {
    await using rig = await segmentRig();
    const { open, texts } = await withStragglers(rig);
    const [first] = await rig.segments();
    assert.ok(first);
    const path = join(rig.folder, WORKSPACE, first);
    const bytes = await readFile(path);
    bytes.fill(7);
    await writeFile(path, bytes);
    rig.clock.advance(A_MINUTE_MS);
    await eventually('the others are gone', async () => (await rig.segments()).length <= 3);
    assert.ok((await rig.segments()).includes(first));
    const readable: string[] = [];
    for (const { id } of open.outstanding(WORKSPACE)) {
      for (const { content } of (await open.read(id)) ?? []) if (content.readable) readable.push(content.batch.body.toString());
    }
    assert.deepEqual(readable, texts.slice(1));
    await open.close();
  });

  it('of another workspace or kind never share a segment with them', async () => {
    await using rig = await segmentRig();
    const open = await rig.open({ segmentBytes: 4_000 });
    for (const kind of ['Event', 'Alert'] as const) {
      for (const workspaceId of [WORKSPACE, OTHER]) {
        const ids: GroupId[] = [];
        for (let at = 0; at < 12; at += 1) ids.push((await open.append([batchOf(`${kind} ${workspaceId} ${'x'.repeat(200)}`, { kind, workspaceId })])).id);
        for (const id of ids.slice(1)) open.markDone(id, [0]);
      }
    }
    const before = await readdir(rig.folder, { recursive: true });
    rig.clock.advance(A_MINUTE_MS);
    await eventually('each lane was rewritten', async () => {
      const now = (await readdir(rig.folder, { recursive: true })).filter((name) => name.endsWith('.segment') && !before.includes(name));
      return now.length === 4;
    });
    await open.close();
    const again = await rig.open();
    for (const workspaceId of [WORKSPACE, OTHER]) {
      for (const { id, kind } of again.outstanding(workspaceId)) {
        const [batch] = batchesOf(await again.read(id));
        assert.ok(batch?.body.toString().startsWith(`${kind} ${workspaceId}`));
      }
      assert.equal(again.groups(workspaceId), 2);
    }
    assert.deepEqual(rig.damage, []);
    await again.close();
  });
});
