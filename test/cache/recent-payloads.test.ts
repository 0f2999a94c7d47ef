import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createRecentPayloads } from '../../src/cache/recent-payloads.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';

const id = (n: number): GroupId => `group-${n}` as GroupId;
const batch = (body: Buffer): Batch => ({ body }) as Batch;

describe('createRecentPayloads', () => {
  it('lets the oldest go when there is no more room', () => {
    const recent = createRecentPayloads(10_000);
    for (let n = 0; n < 5; n += 1) recent.add(id(n), [batch(Buffer.alloc(3_000))]);
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((n) => recent.get(id(n)) !== undefined),
      [false, false, false, true, true],
    );
  });

  it('counts what a batch takes beside its body: a flood of tiny ones is bounded too', () => {
    const recent = createRecentPayloads(100_000);
    for (let n = 0; n < 1_000; n += 1) recent.add(id(n), [batch(Buffer.alloc(1))]);
    const kept = Array.from({ length: 1_000 }, (_, n) => recent.get(id(n))).filter((found) => found !== undefined);
    assert.ok(kept.length < 100, `${kept.length} of them`);
  });

  it('small bodies once kept the whole buffer that they were cut from: 14 KB for each batch of 1 KB', () => {
    const recent = createRecentPayloads(1_000_000);
    const large = Buffer.alloc(64 * 1024, 'x');
    recent.add(id(1), [batch(large.subarray(1_000, 2_000)), batch(large.subarray(0, 40_000))]);
    const [small, most] = recent.get(id(1)) ?? [];
    assert.equal(small?.body.buffer.byteLength, 1_000);
    assert.deepEqual(small?.body, large.subarray(1_000, 2_000));
    // What takes most of it is not copied.
    assert.equal(most?.body.buffer, large.buffer);
  });
});
