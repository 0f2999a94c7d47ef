import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Deliver } from '../../src/batch/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, newKeys, textsOf, WORKSPACE } from './batches.ts';
import { cacheRig, missing } from './cache-rig.ts';

function upstream(): { readonly got: string[]; readonly deliver: Deliver } {
  const got: string[] = [];
  return {
    got,
    deliver(batches) {
      got.push(...textsOf(batches));
      return Promise.resolve(batches.map(() => ({ outcome: 'delivered' })));
    },
  };
}

describe('a lost key', () => {
  it('leaves its groups cached and in the books, offered to nobody, while the rest goes on; with the key back they are delivered', async () => {
    await using rig = await cacheRig();
    const keys = newKeys();
    const first = await rig.open({}, { keys });
    for (const text of ['one', 'two']) assert.deepEqual(await first.put(batchOf(text)), { outcome: 'stored' });
    await first.close(1_000);

    const second = await rig.open({}, { keys: newKeys() });
    const { got, deliver } = upstream();
    second.consume(deliver);
    await second.put(batchOf('three'));
    await eventually('the new one is delivered, and settled', () => got.length === 1 && second.stats().workspaces[0]?.groupsWaiting === 0);
    const [workspace] = second.stats().workspaces;
    assert.deepEqual(workspace?.unopenable, [{ keyId: keys.currentKeyId, groups: 2, batches: 2, bytes: 6 }]);
    assert.equal(workspace.groupsWaiting, 0);
    assert.deepEqual([workspace.balance[0]?.cached.batches, workspace.balance[0]?.dropped.batches, missing(second)], [2, 0, 0]);
    assert.equal(rig.logged.filter(({ level, msg }) => level === 'error' && /a key that sealed part of the cache is lost/.test(msg)).length, 1);
    await second.close(1_000);

    const third = await rig.open({}, { keys });
    const again = upstream();
    third.consume(again.deliver);
    await eventually('the old ones are delivered', () => again.got.length === 2);
    assert.deepEqual(again.got, ['one', 'two']);
    assert.deepEqual([third.stats().workspaces[0]?.unopenable, missing(third)], [undefined, 0]);
  });

  it('that is forgotten gives up what it sealed: in the loss ledger, in the books, off the disk', async () => {
    await using rig = await cacheRig();
    const keys = newKeys();
    const first = await rig.open({}, { keys });
    for (const text of ['one', 'two']) await first.put(batchOf(text));
    await first.close(1_000);
    const second = await rig.open({}, { keys: newKeys() });
    await second.forgetKey(keys.currentKeyId, AbortSignal.abort());
    assert.equal(second.losses.list().length, 0);
    await second.forgetKey(keys.currentKeyId, new AbortController().signal);
    assert.deepEqual(
      second.losses.list().map(({ reason, dataType, batches, bytes }) => [reason, dataType, batches, bytes]),
      [['unreadable', 'LINUX_SYSLOGS_BLOB', 2, 6]],
    );
    const [workspace] = second.stats().workspaces;
    assert.deepEqual([workspace?.balance[0]?.dropped.batches, workspace?.unopenable, missing(second)], [2, undefined, 0]);
    await eventually('the segment is gone', async () =>
      (await readdir(join(rig.folder, 'cache', 'segments', WORKSPACE))).every((name) => !name.endsWith('.segment')),
    );
    assert.deepEqual(
      (await second.keyHoldings()).filter(({ keyId }) => keyId === keys.currentKeyId),
      [],
    );
  });
});
