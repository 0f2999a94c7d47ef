import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createGrouping, type Grouping } from '../../src/cache/grouping.ts';
import { batchOf, OTHER, textsOf } from './batches.ts';

interface Commit {
  readonly texts: readonly string[];
  readonly stored: PromiseWithResolvers<void>;
  readonly indexed: PromiseWithResolvers<void>;
}

/** A grouping whose commits the test settles by hand. */
function byHand(limits = { maxBatches: 4, maxBytes: 100 }): { grouping: Grouping; commits: Commit[] } {
  const commits: Commit[] = [];
  const grouping = createGrouping(limits, (batches: readonly Batch[]) => {
    const commit = { texts: textsOf(batches), stored: Promise.withResolvers<void>(), indexed: Promise.withResolvers<void>() };
    commits.push(commit);
    return { stored: commit.stored.promise, indexed: commit.indexed.promise };
  });
  return { grouping, commits };
}

const aTurn = (): Promise<void> => new Promise(setImmediate);

function settle(commit: Commit | undefined): void {
  commit?.stored.resolve();
  commit?.indexed.resolve();
}

describe('createGrouping', () => {
  it('sends a lone batch alone and at once', async () => {
    const { grouping, commits } = byHand();
    const put = grouping.put(batchOf('a'));
    await aTurn();
    assert.deepEqual(commits[0]?.texts, ['a']);
    settle(commits[0]);
    assert.deepEqual(await put, { outcome: 'stored' });
  });

  it('makes one group of what comes in the same turn of the event loop', async () => {
    const { grouping, commits } = byHand();
    for (const text of ['a', 'b', 'c']) void grouping.put(batchOf(text));
    await aTurn();
    assert.deepEqual(
      commits.map(({ texts }) => texts),
      [['a', 'b', 'c']],
    );
  });

  it('gathers the next group while one is stored, and begins it when that is stored, not when it is indexed', async () => {
    const { grouping, commits } = byHand();
    void grouping.put(batchOf('a'));
    await aTurn();
    for (const text of ['b', 'c']) void grouping.put(batchOf(text));
    await aTurn();
    void grouping.put(batchOf('d'));
    await aTurn();
    assert.equal(commits.length, 1);
    commits[0]?.stored.resolve();
    await aTurn();
    assert.deepEqual(commits[1]?.texts, ['b', 'c', 'd']);
  });

  it('limits a group by its batches and by its bytes; a batch too large goes alone', async () => {
    const { grouping, commits } = byHand();
    const sizes = [10, 10, 10, 10, 10, 60, 50, 500, 40, 60];
    for (const size of sizes) void grouping.put(batchOf('x'.repeat(size)));
    for (let turn = 0; turn < sizes.length; turn += 1) {
      await aTurn();
      settle(commits.at(-1));
    }
    assert.deepEqual(
      commits.map(({ texts }) => texts.map((text) => text.length)),
      [[10, 10, 10, 10], [10, 60], [50], [500], [40, 60]],
    );
  });

  it('keeps workspaces and kinds in groups of their own, which do not wait for each other', async () => {
    const { grouping, commits } = byHand();
    void grouping.put(batchOf('a'));
    void grouping.put(batchOf('b', { kind: 'Alert' }));
    void grouping.put(batchOf('c', { workspaceId: OTHER }));
    void grouping.put(batchOf('d'));
    await aTurn();
    assert.deepEqual(
      commits.map(({ texts }) => texts),
      [['a', 'd'], ['b'], ['c']],
    );
  });

  it('answers unavailable for a group that fails, and only for that one', async () => {
    for (const failing of ['stored', 'indexed'] as const) {
      const { grouping, commits } = byHand({ maxBatches: 2, maxBytes: 100 });
      const puts = ['a', 'b', 'c'].map((text) => grouping.put(batchOf(text)));
      await aTurn();
      const error = new Error('no space left');
      commits[0]?.[failing].reject(error);
      if (failing === 'stored') commits[0]?.indexed.reject(error);
      else commits[0]?.stored.resolve();
      await aTurn();
      settle(commits[1]);
      const refused = { outcome: 'unavailable', message: 'no space left' };
      assert.deepEqual(await Promise.all(puts), [refused, refused, { outcome: 'stored' }]);
    }
  });

  it('says when nothing waits any more', async () => {
    const { grouping, commits } = byHand();
    await grouping.drained();
    void grouping.put(batchOf('a'));
    let isDrained = false;
    const drained = grouping.drained().then(() => {
      isDrained = true;
    });
    await aTurn();
    commits[0]?.stored.resolve();
    await aTurn();
    assert.equal(isDrained, false);
    commits[0]?.indexed.resolve();
    await drained;
  });
});
