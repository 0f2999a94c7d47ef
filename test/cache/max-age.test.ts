import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { batchOf, WORKSPACE } from './batches.ts';
import { cacheRig, missing, waiting } from './cache-rig.ts';

const HOUR_MS = 3_600_000;

describe('cache.maxAge', () => {
  it('gives up what waited for too long, through the loss ledger, after a warning at 48 hours', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ maxAgeMs: 50 * HOUR_MS });
    await cache.put(batchOf('old one', { receivedAt: rig.clock.now() }));
    const isWarned = (): boolean => rig.logged.some(({ msg }) => msg.includes('more than 48 hours'));
    await rig.advance(47 * HOUR_MS, HOUR_MS / 8);
    assert.deepEqual([isWarned(), cache.stats().workspaces[0]?.gettingOld], [false, undefined]);
    await rig.advance(1 * HOUR_MS, HOUR_MS / 8);
    assert.deepEqual([isWarned(), cache.stats().workspaces[0]?.gettingOld], [true, true]);
    await cache.put(batchOf('young', { receivedAt: rig.clock.now() }));
    await rig.advance(2 * HOUR_MS + 120_000, HOUR_MS / 8);
    await eventually('the old one is given up', () => waiting(cache) === 1);
    const [loss, ...more] = cache.losses.list(WORKSPACE);
    assert.deepEqual([loss?.reason, loss?.batches, loss?.bytes, more.length], ['too-old', 1, 7, 0]);
    assert.deepEqual(cache.stats().workspaces[0]?.balance[0]?.dropped, { batches: 1, bytes: 7 });
    assert.equal(missing(cache), 0);
  });

  it('gives up nothing for an hour after the clock was set', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ maxAgeMs: 50 * HOUR_MS });
    await cache.put(batchOf('young', { receivedAt: rig.clock.now() }));
    await rig.advance(2 * HOUR_MS, HOUR_MS / 8);
    await rig.advance(100 * HOUR_MS, 100 * HOUR_MS);
    await rig.advance(HOUR_MS / 2, HOUR_MS / 8);
    assert.equal(waiting(cache), 1);
    await rig.advance(HOUR_MS, HOUR_MS / 8);
    await eventually('it is given up in the end', () => waiting(cache) === 0);
  });
});

describe('a purge', () => {
  it('deletes what was meant and nothing else, and the books know of it', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    const at = rig.clock.now();
    await cache.put(batchOf('syslog'));
    await cache.put(batchOf('perf', { kind: 'Performance', dataType: 'LINUX_PERF_BLOB' }));
    await cache.put(batchOf('other perf', { kind: 'Performance', dataType: 'OTHER_BLOB' }));
    await cache.put(batchOf('late perf', { kind: 'Performance', dataType: 'LINUX_PERF_BLOB', receivedAt: at + 10_000 }));
    const purged = await cache.operations.purge(WORKSPACE, { before: at + 1, kind: 'Performance', dataType: 'LINUX_PERF_BLOB' });
    assert.deepEqual(purged, { batches: 1, bytes: 4 });
    assert.equal(waiting(cache), 3);
    assert.equal(missing(cache), 0);
    const [loss] = cache.losses.list(WORKSPACE);
    assert.deepEqual([loss?.reason, loss?.dataType, loss?.batches], ['purged', 'LINUX_PERF_BLOB', 1]);
    assert.deepEqual(await cache.operations.purge(WORKSPACE, { before: at + 20_000 }), { batches: 3, bytes: 25 });
    assert.equal(waiting(cache), 0);
    assert.equal(missing(cache), 0);
  });
});
