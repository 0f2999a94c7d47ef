/** Run by `small-disk.test.ts` in a mount namespace of its own: stores on a disk of one megabyte until it is full. Ends with an error when a promise is broken. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { batchesOf } from '../contracts/payload-store-contract.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, textsOf, WORKSPACE } from './batches.ts';
import { segmentRig } from './segment-rig.ts';

const [folder = ''] = process.argv.slice(2);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
const reserve = join(folder, 'reserve');
await writeFile(reserve, Buffer.alloc(250_000));
const rig = await segmentRig(folder);
const store = await rig.open({ segmentBytes: 200_000 });
const kept = new Map<GroupId, string>();

async function fill(): Promise<number> {
  let refused = 0;
  for (let at = 0; refused < 5; at += 1) {
    const text = `${kept.size}.${at} `.repeat(500);
    try {
      kept.set((await store.append([batchOf(text)])).id, text);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
      refused += 1;
    }
    assert.ok(at < 10_000, 'the disk never became full');
  }
  return kept.size;
}

async function checkKept(from: typeof store): Promise<void> {
  assert.equal(from.groups(WORKSPACE), kept.size);
  for (const [id, text] of kept) assert.deepEqual(textsOf(batchesOf(await from.read(id))), [text]);
}

assert.ok((await fill()) > 50);
await checkKept(store);

// Full: what is done is forgotten, although it cannot even be noted, and its segments go.
rig.clock.advance(200);
for (const id of [...kept.keys()].slice(0, 60)) {
  store.markDone(id, [0]);
  kept.delete(id);
}
rig.clock.advance(200);
await checkKept(store);

const before = kept.size;
assert.ok((await fill()) > before, 'the space that returned is used');
await checkKept(store);

// A few stragglers in every segment, and no room to rewrite them.
for (const id of [...kept.keys()].filter((_, at) => at % 10 !== 0)) {
  store.markDone(id, [0]);
  kept.delete(id);
}
rig.clock.advance(60_000);
await checkKept(store);

await rm(reserve);
await eventually('the segments are rewritten when there is room', async () => {
  rig.clock.advance(60_000);
  await checkKept(store);
  const { blocks, bfree, bsize } = await statfs(folder);
  return (blocks - bfree) * bsize < 200_000;
});
await store.close();

const again = await rig.open();
await checkKept(again);
await again.close();
assert.deepEqual(rig.damage, []);
execFileSync('umount', [folder]);
