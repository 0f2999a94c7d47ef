import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { BatchId } from '../../src/batch/batch-id.ts';
import { decodeHeader, decodePrefix, encodeGroup, type GroupHeader, type GroupId, isWhole, PREFIX_BYTES } from '../../src/cache/segment-format.ts';
import { scanSegment } from '../../src/cache/segment-scan.ts';
import type { AgentId } from '../../src/workspace/workspace-id.ts';
import { seeded } from '../support/seeded.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { START_MS, seededBytes, WORKSPACE } from './batches.ts';

const fill = seededBytes(7);

interface Written {
  readonly header: GroupHeader;
  readonly bytes: Buffer;
}

function groupOf(id: string, payloadSizes: readonly number[]): Written {
  const payload = payloadSizes.map((size) => {
    const bytes = Buffer.alloc(size);
    fill(bytes);
    return bytes;
  });
  const header: GroupHeader = {
    id: id as GroupId,
    workspaceId: WORKSPACE,
    kind: 'Event',
    members: payloadSizes.map((size, at) => ({
      id: `batch-${at}` as BatchId,
      agentId: 'agent' as AgentId,
      dataType: 'Ärger "in" Höhe',
      receivedAt: START_MS + at,
      bytes: size * 2,
      sealedBytes: size,
    })),
  };
  return { header, bytes: Buffer.concat([encodeGroup(header, payload), ...payload]) };
}

describe('encodeGroup and decodeHeader', () => {
  it('give back what was written, for any number and size of members', () => {
    const random = seeded(42);
    for (let run = 0; run < 200; run += 1) {
      const sizes = Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 300));
      const { header, bytes } = groupOf(`Event-x.${run}`, sizes);
      const prefix = decodePrefix(bytes);
      assert.ok(prefix);
      assert.deepEqual(decodeHeader(prefix, bytes), header);
      assert.ok(isWhole(prefix, bytes.subarray(PREFIX_BYTES + prefix.headerBytes)));
      assert.equal(bytes.length, PREFIX_BYTES + prefix.headerBytes + prefix.payloadBytes);
    }
  });

  it('find every single flipped bit, in the header or in the payload', () => {
    const { bytes } = groupOf('Event-x.1', [20, 5]);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      const prefix = decodePrefix(flipped);
      const isBelieved = prefix && decodeHeader(prefix, flipped) && isWhole(prefix, flipped.subarray(PREFIX_BYTES + prefix.headerBytes));
      assert.equal(Boolean(isBelieved), false, `bit ${bit}`);
    }
  });

  it('refuse to write a header that no scan would believe', () => {
    const { header } = groupOf('Event-x.1', [1]);
    const [member] = header.members;
    assert.ok(member);
    const huge = { ...header, members: Array.from({ length: 1024 }, () => ({ ...member, dataType: 'x'.repeat(1024) })) };
    assert.throws(() => encodeGroup(huge, []), { code: 'relay.cache.group-too-large' });
  });
});

describe('scanSegment', () => {
  const groups = [groupOf('Event-x.1', [30]), groupOf('Event-x.2', [10, 12]), groupOf('Event-x.3', [7, 0, 9])];
  const whole = Buffer.concat(groups.map(({ bytes }) => bytes));
  const idsIn = async (path: string): Promise<string[]> => (await scanSegment(path)).groups.map(({ header }) => header.id);

  async function scan(bytes: Buffer): Promise<{ ids: string[]; damagedBytes: number }> {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.segment');
    await writeFile(path, bytes);
    const { damaged } = await scanSegment(path);
    return { ids: await idsIn(path), damagedBytes: damaged.reduce((sum, stretch) => sum + stretch.bytes, 0) };
  }

  it('finds every group of a whole file, in order, and no damage', async () => {
    assert.deepEqual(await scan(whole), { ids: ['Event-x.1', 'Event-x.2', 'Event-x.3'], damagedBytes: 0 });
  });

  it('finds nothing in an empty file, and only damage in one of zeros or of chance', async () => {
    assert.deepEqual(await scan(Buffer.alloc(0)), { ids: [], damagedBytes: 0 });
    assert.deepEqual(await scan(Buffer.alloc(3_000_000)), { ids: [], damagedBytes: 3_000_000 });
    const chance = Buffer.alloc(100_000);
    fill(chance);
    assert.deepEqual(await scan(chance), { ids: [], damagedBytes: 100_000 });
  });

  it('loses only the last group to a tail torn at any byte, never one before it', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.segment');
    const start = whole.length - (groups[2]?.bytes.length ?? 0);
    for (let length = start; length < whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      const { groups: found, damaged } = await scanSegment(path);
      assert.deepEqual(
        found.map(({ header }) => header.id),
        ['Event-x.1', 'Event-x.2'],
        `torn at ${length}`,
      );
      assert.deepEqual(damaged, length === start ? [] : [{ offset: start, bytes: length - start }]);
    }
  });

  it('loses only the last group when a power cut left zeros where its tail should be', async () => {
    const start = whole.length - (groups[2]?.bytes.length ?? 0);
    for (let length = start; length < whole.length; length += 1) {
      const zeroed = Buffer.from(whole);
      zeroed.fill(0, length);
      // A tail that was zero anyway is whole.
      const isWholeStill = zeroed.equals(whole);
      assert.deepEqual((await scan(zeroed)).ids, isWholeStill ? ['Event-x.1', 'Event-x.2', 'Event-x.3'] : ['Event-x.1', 'Event-x.2'], `zeros from ${length}`);
    }
  });

  it('steps over a group whose header changed, wherever the bit is', async () => {
    const [first, second] = groups;
    assert.ok(first && second);
    const headerEnd = second.bytes.length - 22;
    for (let at = 0; at < headerEnd; at += 1) {
      const changed = Buffer.from(whole);
      changed.writeUInt8(changed.readUInt8(first.bytes.length + at) ^ 0x10, first.bytes.length + at);
      assert.deepEqual(await scan(changed), { ids: ['Event-x.1', 'Event-x.3'], damagedBytes: second.bytes.length }, `byte ${at} of the header`);
    }
  });

  it('steps over garbage between groups, also when it looks like the beginning of one', async () => {
    const [first, second, third] = groups.map(({ bytes }) => bytes);
    assert.ok(first && second && third);
    const garbage = Buffer.concat([Buffer.from('RLG1RLG1'), Buffer.alloc(50), second.subarray(0, 60)]);
    const scanned = await scan(Buffer.concat([first, garbage, second, garbage, third]));
    assert.deepEqual(scanned, { ids: ['Event-x.1', 'Event-x.2', 'Event-x.3'], damagedBytes: 2 * garbage.length });
  });

  it('finds the next group behind damage at the very border of what is read at once', async () => {
    const [first, second] = groups.map(({ bytes }) => bytes);
    assert.ok(first && second);
    for (let shift = -25; shift <= 25; shift += 1) {
      const garbage = Buffer.alloc(1024 * 1024 + shift, 1);
      assert.deepEqual((await scan(Buffer.concat([garbage, first, second]))).ids, ['Event-x.1', 'Event-x.2'], `shift ${shift}`);
    }
  });

  it('never believes a group that was not written, and never loses one that was not touched, whatever stretch is overwritten', async () => {
    await using folder = await temporaryFolder();
    const path = join(folder.path, 'a.segment');
    const random = seeded(5);
    for (let run = 0; run < 150; run += 1) {
      const from = Math.floor(random() * whole.length);
      const changed = Buffer.from(whole);
      fill(changed.subarray(from, from + 1 + Math.floor(random() * 80)));
      await writeFile(path, changed);
      const found = await idsIn(path);
      let offset = 0;
      for (const { header, bytes } of groups) {
        const isUntouched = changed.subarray(offset, offset + bytes.length).equals(bytes);
        if (isUntouched) assert.ok(found.includes(header.id), `${header.id} lost in run ${run}`);
        offset += bytes.length;
      }
      assert.ok(found.every((id) => groups.some(({ header }) => header.id === id)));
      assert.equal((await readFile(path)).equals(changed), true);
    }
  });
});
