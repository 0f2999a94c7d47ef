import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DeadLetterCause, openDeadLetters } from '../../src/cache/dead-letters.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { batchOf, newKeys, OTHER, START_MS, WORKSPACE } from './batches.ts';

const REFUSED: DeadLetterCause = { reason: 'refused', status: 400, answer: 'no such field' };

describe('openDeadLetters', () => {
  it('keeps a batch with what condemned it, over openings', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const batch = batchOf('secret');
    await (await openDeadLetters(folder.path, keys)).put(batch, REFUSED, START_MS + 5);
    const letters = await openDeadLetters(folder.path, keys);
    const opened = await letters.open(batch.id);
    assert.deepEqual(opened?.batch, batch);
    assert.deepEqual({ ...opened?.letter, at: opened?.letter.at }, { ...(await letters.list())[0], at: START_MS + 5 });
    assert.equal(await letters.open('nothing'), undefined);
  });

  it('lists those of one workspace or of all, the oldest first', async () => {
    await using folder = await temporaryFolder();
    const letters = await openDeadLetters(folder.path, newKeys());
    const [late, early, other] = [batchOf('late'), batchOf('early'), batchOf('other', { workspaceId: OTHER })];
    await letters.put(late, REFUSED, START_MS + 2);
    await letters.put(early, REFUSED, START_MS);
    await letters.put(other, REFUSED, START_MS + 1);
    const idsOf = (list: readonly { readonly id: string }[]): string[] => list.map(({ id }) => id);
    assert.deepEqual(idsOf(await letters.list()), [early.id, other.id, late.id]);
    assert.deepEqual(idsOf(await letters.list(WORKSPACE)), [early.id, late.id]);
  });

  it('counts the bytes of a batch that was refused once more after a crash only once', async () => {
    await using folder = await temporaryFolder();
    const keys = newKeys();
    const letters = await openDeadLetters(folder.path, keys);
    const batch = batchOf('x'.repeat(1_000));
    await letters.put(batch, REFUSED, START_MS);
    const once = letters.usedBytes();
    await letters.put(batch, REFUSED, START_MS);
    assert.equal(letters.usedBytes(), once);
    assert.equal(letters.usedBytes(WORKSPACE), once);
    assert.equal(letters.usedBytes(OTHER), 0);
    assert.equal((await openDeadLetters(folder.path, keys)).usedBytes(), once);
  });
});
