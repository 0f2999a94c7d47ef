import assert from 'node:assert/strict';
import { appendFile, copyFile, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { PayloadStore } from '../../src/cache/payload-store.ts';
import { decodeHeader, decodePrefix, encodeGroup, type GroupId, PREFIX_BYTES } from '../../src/cache/segment-format.ts';
import { generateKeyRing, openKeyRing, withNewKey } from '../../src/workspace/key-ring.ts';
import { batchesOf, payloadStoreContract } from '../contracts/payload-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, newKeys, OTHER, textsOf, WORKSPACE } from './batches.ts';
import { type SegmentRig, segmentRig } from './segment-rig.ts';

payloadStoreContract('the segment store', async ({ withoutMemory }) => {
  const rig = await segmentRig();
  return { ...rig, open: () => rig.open({ memoryBytes: withoutMemory ? 0 : 1_000_000, segmentBytes: 3_000 }) };
});

async function pathOfOnly(rig: SegmentRig): Promise<string> {
  const [name, ...others] = await rig.segments();
  assert.ok(name && others.length === 0);
  return join(rig.folder, WORKSPACE, name);
}

async function store(rig: SegmentRig, texts: readonly string[]): Promise<GroupId[]> {
  const open = await rig.open();
  const ids: GroupId[] = [];
  for (const text of texts) ids.push((await open.append([batchOf(text)])).id);
  await open.close();
  return ids;
}

async function readable(open: PayloadStore): Promise<string[]> {
  const texts: string[] = [];
  for (const { id } of open.outstanding(WORKSPACE)) {
    for (const { content } of (await open.read(id)) ?? []) texts.push(content.readable ? content.batch.body.toString() : 'unreadable');
  }
  return texts;
}

const asideIn = async (rig: SegmentRig, workspaceId = WORKSPACE): Promise<string[]> => await readdir(join(rig.folder, workspaceId, 'damaged')).catch(() => []);

describe('segments', () => {
  it('hold no text of a body in the clear', async () => {
    await using rig = await segmentRig();
    await store(rig, ['the patient is called Erika Mustermann']);
    const bytes = await readFile(await pathOfOnly(rig));
    for (const word of ['patient', 'Mustermann', 'LogManagement']) assert.equal(bytes.includes(word), false, word);
    assert.equal((await stat(await pathOfOnly(rig))).mode & 0o777, 0o600);
  });

  it('are closed when full, and deleted when every group in them is done', async () => {
    await using rig = await segmentRig();
    const open = await rig.open({ segmentBytes: 2_000 });
    const ids: GroupId[] = [];
    for (let at = 0; at < 12; at += 1) ids.push((await open.append([batchOf('x'.repeat(600))])).id);
    const full = await rig.segments();
    assert.ok(full.length >= 3);
    for (const id of ids) open.markDone(id, [0]);
    // The last one still takes groups.
    await eventually('only the segment in use is left', async () => (await rig.segments()).length === 1);
    assert.deepEqual(await rig.segments(), full.slice(-1));
    await open.close();
    assert.deepEqual(await rig.segments(), []);
    assert.deepEqual(await readdir(join(rig.folder, WORKSPACE)), [], 'no notes are left behind');
  });

  it('are never appended to by a later start', async () => {
    await using rig = await segmentRig();
    await store(rig, ['old']);
    const path = await pathOfOnly(rig);
    const before = await readFile(path);
    await store(rig, ['new']);
    assert.equal((await rig.segments()).length, 2);
    assert.deepEqual(await readFile(path), before);
  });

  it('give the same bytes from disk when memory has let go of them', async () => {
    await using rig = await segmentRig();
    const open = await rig.open({ memoryBytes: 2_500 });
    const ids: GroupId[] = [];
    for (let at = 0; at < 5; at += 1) ids.push((await open.append([batchOf(`${at}`.repeat(100))])).id);
    const path = await pathOfOnly(rig);
    for (const [at, id] of ids.entries()) assert.deepEqual(textsOf(batchesOf(await open.read(id))), [`${at}`.repeat(100)]);
    // Without the file only what is in memory can still be read: the two last ones, each with 1 KiB for what it takes beside its body.
    await truncate(path, 0);
    const stillThere = [];
    for (const id of ids) stillThere.push((await open.read(id))?.every(({ content }) => content.readable));
    assert.deepEqual(stillThere, [false, false, false, true, true]);
    await open.close();
  });

  it('are opened again without the group whose write was cut short, which is kept aside and reported once', async () => {
    await using rig = await segmentRig();
    await store(rig, ['one', 'two', 'three']);
    const path = await pathOfOnly(rig);
    const { size } = await stat(path);
    await truncate(path, size - 3);
    const open = await rig.open();
    assert.deepEqual(await readable(open), ['one', 'two']);
    await open.close();
    assert.equal(rig.damage.length, 1);
    assert.equal((await asideIn(rig)).length, 1);
    assert.ok((await stat(path)).size < size - 3, 'the torn tail is cut');
    await (await rig.open()).close();
    assert.equal(rig.damage.length, 1);
  });

  it('are opened again when damage cannot be put aside, and are then kept until it can', async () => {
    await using rig = await segmentRig();
    const [id] = await store(rig, ['one', 'two']);
    const path = await pathOfOnly(rig);
    await truncate(path, (await stat(path)).size - 1);
    // A file where the folder for damaged bytes should be.
    await writeFile(join(rig.folder, WORKSPACE, 'damaged'), '');
    const open = await rig.open();
    assert.deepEqual(await readable(open), ['one']);
    open.markDone(id as GroupId, [0]);
    await open.close();
    assert.equal((await rig.segments()).length, 1);
    await rm(join(rig.folder, WORKSPACE, 'damaged'));
    await (await rig.open()).close();
    assert.equal((await asideIn(rig)).length, 1);
    assert.deepEqual(await rig.segments(), []);
  });

  it('with a bit flipped in one batch deliver the others; that one is set aside', async () => {
    await using rig = await segmentRig();
    const before = await rig.open();
    const { id } = await before.append([batchOf('first'), batchOf('second'), batchOf('third')]);
    await before.append([batchOf('behind')]);
    await before.close();
    const path = await pathOfOnly(rig);
    const bytes = await readFile(path);
    const headerBytes = bytes.readUInt32BE(4);
    const payloadBytes = bytes.readUInt32BE(8);
    const middle = 20 + headerBytes + Math.floor(payloadBytes / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
    await writeFile(path, bytes);
    const open = await rig.open();
    const members = (await open.read(id)) ?? [];
    assert.deepEqual(
      members.map(({ content }) => (content.readable ? content.batch.body.toString() : `${content.bytes} bytes`)),
      ['first', '6 bytes', 'third'],
    );
    assert.equal((await asideIn(rig)).length, 1);
    assert.deepEqual(await readable(open), ['first', 'unreadable', 'third', 'behind']);
    assert.equal((await asideIn(rig)).length, 1, 'the same bytes are set aside once');
    await open.close();
  });

  it('that are empty, or full of zeros, are no reason not to start', async () => {
    await using rig = await segmentRig();
    await store(rig, ['one']);
    const folder = join(rig.folder, WORKSPACE);
    await writeFile(join(folder, 'Event-00000000-0000-7000-8000-000000000000.segment'), '');
    await writeFile(join(folder, 'Alert-00000000-0000-7000-8000-000000000000.segment'), Buffer.alloc(5_000));
    await writeFile(join(folder, 'Event-00000000-0000-7000-8000-000000000001.done'), Buffer.alloc(8));
    await mkdir(join(rig.folder, 'lost+found'));
    const open = await rig.open();
    assert.deepEqual(await readable(open), ['one']);
    assert.deepEqual(rig.damage, [5_000]);
    await open.close();
    assert.equal((await rig.segments()).length, 1);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith('.done')),
      [],
    );
  });

  it('come back whole when their notes are lost: duplicates, never a loss', async () => {
    await using rig = await segmentRig();
    const open = await rig.open();
    const { id } = await open.append([batchOf('one'), batchOf('two')]);
    open.markDone(id, [0]);
    await open.close();
    await rm((await pathOfOnly(rig)).replace('.segment', '.done'));
    const again = await rig.open();
    assert.deepEqual(await readable(again), ['one', 'two']);
    await again.close();
  });

  it('are not touched by notes about groups that they do not have', async () => {
    await using rig = await segmentRig();
    await store(rig, ['one']);
    const path = (await pathOfOnly(rig)).replace('.segment', '.done');
    await appendFile(path, Buffer.alloc(64));
    await appendFile(path, Buffer.alloc(5, 255));
    const open = await rig.open();
    assert.deepEqual(await readable(open), ['one']);
    await open.close();
  });

  it('note what is done within a moment, so that a kill sends little again', async () => {
    await using rig = await segmentRig();
    const open = await rig.open();
    const { id } = await open.append([batchOf('one'), batchOf('two')]);
    open.markDone(id, [0]);
    rig.clock.advance(200);
    const notes = (await pathOfOnly(rig)).replace('.segment', '.done');
    await eventually('the note is on disk', async () => (await stat(notes).catch(() => undefined))?.size === 8);
    // As after a kill: the first store was never closed.
    const again = await rig.open();
    assert.deepEqual(await readable(again), ['two']);
    await again.close();
    await open.close();
  });

  it('moved into the folder of another workspace are set aside, not delivered to either', async () => {
    await using rig = await segmentRig();
    await store(rig, ['secret']);
    const path = await pathOfOnly(rig);
    await mkdir(join(rig.folder, OTHER));
    await rename(path, path.replace(WORKSPACE, OTHER));
    const open = await rig.open();
    assert.equal(open.groups(WORKSPACE) + open.groups(OTHER), 0);
    assert.equal(rig.damage.length, 1);
    assert.equal((await asideIn(rig, OTHER)).length, 1);
    await open.close();
  });

  it('whose header was rewritten for another workspace cannot be opened', async () => {
    await using rig = await segmentRig();
    const { crc32 } = await import('node:zlib');
    await store(rig, ['secret']);
    const path = await pathOfOnly(rig);
    const bytes = Buffer.from((await readFile(path)).toString('latin1').replace(WORKSPACE, OTHER), 'latin1');
    bytes.writeUInt32BE(crc32(bytes.subarray(20, 20 + bytes.readUInt32BE(4)), crc32(bytes.subarray(0, 16))), 16);
    await mkdir(join(rig.folder, OTHER));
    await writeFile(path.replace(WORKSPACE, OTHER), bytes);
    const open = await rig.open();
    const [group] = open.outstanding(OTHER);
    assert.ok(group);
    assert.deepEqual(
      (await open.read(group.id))?.map(({ content }) => content.readable),
      [false],
    );
    await open.close();
  });

  it('sealed with a key that is lost are kept and counted, are not offered, and are whole again when the key is back', async () => {
    await using rig = await segmentRig();
    const { keys } = rig;
    const [id] = await store(rig, ['secret', 'other']);
    rig.keys = newKeys();
    const open = await rig.open();
    assert.equal(await open.read(id as GroupId), undefined);
    assert.equal(open.has(id as GroupId), false);
    assert.deepEqual(open.outstanding(WORKSPACE), []);
    assert.equal(open.groups(WORKSPACE), 0);
    assert.deepEqual(open.cached(WORKSPACE, 'Event'), { batches: 2, bytes: 11 });
    assert.deepEqual(open.unopenable(WORKSPACE), [{ keyId: keys.currentKeyId, groups: 2, batches: 2, bytes: 11 }]);
    assert.deepEqual(open.unopenable(OTHER), []);
    const later = await open.append([batchOf('new')]);
    assert.equal(later.batches, 1);
    rig.clock.advance(60_000);
    await open.close();
    rig.keys = keys;
    const again = await rig.open();
    assert.deepEqual(await readable(again), ['secret', 'other']);
    assert.equal(again.unopenable().length, 1);
    assert.deepEqual(await asideIn(rig), []);
    await again.close();
  });

  it('of a release that did not name the key in the header are known by their first envelope', async () => {
    await using rig = await segmentRig();
    await store(rig, ['old']);
    const path = await pathOfOnly(rig);
    const bytes = await readFile(path);
    const prefix = decodePrefix(bytes);
    assert.ok(prefix);
    const header = decodeHeader(prefix, bytes);
    assert.ok(header);
    const payload = bytes.subarray(PREFIX_BYTES + prefix.headerBytes);
    const { keyId, ...older } = header;
    await writeFile(path, Buffer.concat([encodeGroup(older, [payload]), payload]));
    const open = await rig.open();
    assert.deepEqual(open.keyUse(), [{ keyId, groups: 1, batches: 1, bytes: 3 }]);
    assert.deepEqual(await readable(open), ['old']);
    await open.close();
    rig.keys = newKeys();
    const without = await rig.open();
    assert.equal(without.unopenable()[0]?.keyId, keyId);
    await without.close();
  });

  it('hold one key each while they are written, and keep it in use as long as they exist', async () => {
    await using rig = await segmentRig();
    const ring = openKeyRing(JSON.stringify(generateKeyRing()));
    rig.keys = ring;
    const old = ring.currentKeyId;
    const open = await rig.open();
    const first = await open.append([batchOf('before')]);
    ring.replace(withNewKey(ring.content()));
    await open.append([batchOf('after')]);
    assert.equal((await rig.segments()).length, 2);
    assert.deepEqual(
      open.keyUse().map(({ keyId, groups }) => [keyId, groups]),
      [old, ring.currentKeyId].map((keyId) => [keyId, 1]),
    );
    assert.deepEqual(await readable(open), ['before', 'after']);
    open.markDone(first.id, [0]);
    await eventually('the old segment is gone', async () => (await rig.segments()).length === 1);
    assert.deepEqual(
      open.keyUse().map(({ keyId }) => keyId),
      [ring.currentKeyId],
    );
    await open.close();
  });

  it('copied by hand bring no batch twice', async () => {
    await using rig = await segmentRig();
    await store(rig, ['one', 'two']);
    const path = await pathOfOnly(rig);
    await copyFile(path, path.replace(/-[0-9a-f]{12}\./, '-ffffffffffff.'));
    const open = await rig.open();
    assert.deepEqual(await readable(open), ['one', 'two']);
    assert.deepEqual(open.cached(WORKSPACE, 'Event'), { batches: 2, bytes: 6 });
    await open.close();
  });
});
