import assert from 'node:assert/strict';
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setAside } from '../../src/cache/damage.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

function segmentOf(name: string): Parameters<typeof setAside>[0] {
  return { name, read: (_offset, length) => Promise.resolve(Buffer.alloc(length)) };
}

describe('what is set aside', () => {
  it('is copied once', async () => {
    await using temporary = await temporaryFolder();
    assert.equal(await setAside(segmentOf('Event-1'), { offset: 5, bytes: 100 }, temporary.path), true);
    assert.equal(await setAside(segmentOf('Event-1'), { offset: 5, bytes: 100 }, temporary.path), false);
    assert.deepEqual(await readdir(join(temporary.path, 'damaged')), ['Event-1@5']);
  });

  it('never takes more than its limit: the oldest copies give way', async () => {
    await using temporary = await temporaryFolder();
    for (const number of [1, 2, 3, 4]) {
      await setAside(segmentOf(`Event-${number}`), { offset: 0, bytes: 100 }, temporary.path, 250);
      await utimes(join(temporary.path, 'damaged', `Event-${number}@0`), number, number);
    }
    assert.deepEqual((await readdir(join(temporary.path, 'damaged'))).sort(), ['Event-3@0', 'Event-4@0']);
  });
});
