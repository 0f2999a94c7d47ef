import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { KINDS } from '../../src/batch/kind.ts';
import type { Deliver, Verdict } from '../../src/batch/verdict.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, OTHER, START_MS, textsOf, WORKSPACE } from './batches.ts';
import { type CacheRig, cacheRig, missing, waiting } from './cache-rig.ts';

const MINUTE_MS = 60_000;
const AWAY: Verdict = { outcome: 'retry', scope: 'workspace', reason: 'connect ECONNREFUSED' };
const DELIVERED: Verdict = { outcome: 'delivered' };

interface Offer {
  readonly minute: number;
  readonly batches: readonly Batch[];
}

/** A workspace that can be away, and remembers when it was offered what. */
function workspaceOn({ clock }: CacheRig): { isAway: boolean; readonly offers: Offer[]; readonly deliver: Deliver } {
  const workspace = {
    isAway: true,
    offers: [] as Offer[],
    deliver: (batches: readonly Batch[]) => {
      workspace.offers.push({ minute: (clock.now() - START_MS) / MINUTE_MS, batches });
      return Promise.resolve(batches.map(() => (workspace.isAway ? AWAY : DELIVERED)));
    },
  };
  return workspace;
}

describe('an outage', () => {
  it('is tried at 0, 8, 16 … 120 minutes, then held, then delivered on return: Alert first, Performance last, the oldest of a kind first', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ groupsInFlight: 1 });
    const workspace = workspaceOn(rig);
    const state = (): string | undefined => cache.stats().workspaces[0]?.upstream.state;
    cache.consume(workspace.deliver);
    await cache.put(batchOf('first', { receivedAt: START_MS }));
    await eventually('the outage is noticed', () => state() === 'resting');
    for (let round = 0; round < 3; round += 1) {
      for (const kind of KINDS) assert.deepEqual(await cache.put(batchOf(`${kind} ${round}`, { kind, receivedAt: rig.clock.now() })), { outcome: 'stored' });
    }

    for (let slot = 1; slot <= 18; slot += 1) {
      assert.equal(cache.isHeld(WORKSPACE), slot > 15, `before minute ${slot * 8}`);
      rig.clock.advance(8 * MINUTE_MS - 1);
      // Whatever is due by now gets its turn.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
      assert.equal(workspace.offers.length, slot, `a millisecond before minute ${slot * 8}`);
      rig.clock.advance(1);
      await eventually(
        `the try of minute ${slot * 8} has failed`,
        () => workspace.offers.length === slot + 1 && cache.stats().workspaces[0]?.groupsInFlight === 0,
      );
    }
    assert.deepEqual(
      workspace.offers.map(({ minute }) => minute),
      Array.from({ length: 19 }, (_, slot) => slot * 8),
    );
    assert.deepEqual(new Set(workspace.offers.flatMap(({ batches }) => textsOf(batches))), new Set(['first']));
    assert.equal(state(), 'held');
    assert.equal(missing(cache), 0);

    workspace.isAway = false;
    workspace.offers.length = 0;
    rig.clock.advance(8 * MINUTE_MS);
    await eventually('all is delivered', () => waiting(cache) === 0);
    const order = [...KINDS].reverse().flatMap((kind) => [0, 1, 2].map((round) => `${kind} ${round}`));
    assert.deepEqual(
      workspace.offers.flatMap(({ batches }) => textsOf(batches)),
      ['first', ...order],
    );
    assert.equal(state(), 'awake');
    assert.equal(cache.isHeld(WORKSPACE), false);
    assert.equal(missing(cache), 0);
  });

  it('is over at once when an operator says so and the workspace is back', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open();
    const workspace = workspaceOn(rig);
    cache.consume(workspace.deliver);
    await cache.put(batchOf('a'));
    await eventually('the outage is noticed', () => cache.stats().workspaces[0]?.upstream.state === 'resting');
    workspace.isAway = false;
    cache.operations.retryNow(WORKSPACE);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.deepEqual(
      workspace.offers.map(({ minute }) => minute),
      [0, 0],
    );
  });

  it('is not waited for by a group that failed alone, once an operator says so', async () => {
    await using rig = await cacheRig(Date.now());
    const cache = await rig.open({ groupBatches: 1 });
    let isBad = true;
    const offers: string[] = [];
    cache.consume((batches) => {
      offers.push(...textsOf(batches));
      return Promise.resolve(batches.map(({ body }) => (isBad && body.toString() === 'bad' ? { outcome: 'retry', scope: 'batch', reason: '500' } : DELIVERED)));
    });
    await cache.put(batchOf('bad'));
    await cache.put(batchOf('good'));
    await eventually('one is delivered, the other waits', () => waiting(cache) === 1 && cache.stats().workspaces[0]?.groupsInFlight === 0);
    isBad = false;
    await eventually('it is delivered at once', () => {
      cache.operations.retryNow(WORKSPACE);
      return waiting(cache) === 0;
    });
    assert.deepEqual(offers.filter((text) => text === 'bad').length, 2);
  });

  it('lets fresh data through while a backlog drains, and the backlog while fresh data comes', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ groupsInFlight: 1, groupBatches: 1 });
    const workspace = workspaceOn(rig);
    const gate = { open: Promise.withResolvers<void>() };
    cache.consume(async (batches, signal) => {
      const verdicts = await workspace.deliver(batches, signal);
      if (!workspace.isAway) await gate.open.promise;
      return verdicts;
    });
    await cache.put(batchOf('first'));
    await eventually('the outage is noticed', () => cache.stats().workspaces[0]?.upstream.state === 'resting');
    for (let at = 0; at < 8; at += 1) await cache.put(batchOf(`old ${at}`, { kind: 'Performance' }));
    workspace.isAway = false;
    workspace.offers.length = 0;
    cache.operations.retryNow(WORKSPACE);
    await eventually('the workspace is tried', () => workspace.offers.length === 1);
    gate.open.resolve();
    gate.open = Promise.withResolvers<void>();
    await eventually('it drains', () => workspace.offers.length === 2);
    for (let at = 0; at < 8; at += 1) await cache.put(batchOf(`new ${at}`, { kind: 'Performance' }));
    gate.open.resolve();
    await eventually('all is delivered', () => waiting(cache) === 0);
    const texts = workspace.offers.flatMap(({ batches }) => textsOf(batches));
    for (const word of ['old', 'new']) assert.ok(texts.slice(3, 13).filter((text) => text.startsWith(word)).length >= 4, `${word}: ${texts.join(', ')}`);
    assert.deepEqual(
      texts.filter((text) => text.startsWith('old')),
      Array.from({ length: 8 }, (_, at) => `old ${at}`),
    );
  });

  it('sends nothing to a paused workspace, over a restart too, and goes on taking', async () => {
    await using rig = await cacheRig();
    const workspace = workspaceOn(rig);
    workspace.isAway = false;
    const before = await rig.open();
    before.consume(workspace.deliver);
    await before.operations.pause(WORKSPACE, true);
    assert.deepEqual(await before.put(batchOf('a')), { outcome: 'stored' });
    await before.close(1_000);

    const cache = await rig.open();
    cache.consume(workspace.deliver);
    assert.deepEqual(await cache.put(batchOf('b')), { outcome: 'stored' });
    await rig.advance(10_000, 1_000);
    assert.equal(cache.stats().workspaces[0]?.paused, true);
    assert.equal(cache.stats().workspaces[1]?.paused, undefined);
    assert.deepEqual(workspace.offers, []);
    await cache.operations.pause(WORKSPACE, false);
    await eventually('all is delivered', () => waiting(cache) === 0);
    assert.deepEqual(new Set(workspace.offers.flatMap(({ batches }) => textsOf(batches))), new Set(['a', 'b']));
  });

  it('does not exceed the rate that is set', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ maxBytesPerS: 1_000, groupBatches: 1 });
    const workspace = workspaceOn(rig);
    workspace.isAway = false;
    for (let at = 0; at < 20; at += 1) await cache.put(batchOf('x'.repeat(500)));
    cache.consume(workspace.deliver);
    for (let second = 1; second <= 9; second += 1) {
      await rig.advance(1_000, 100);
      const offered = workspace.offers.length * 500;
      assert.ok(offered <= 1_000 * second + 1_500, `${offered} bytes in ${second} s`);
    }
    await eventually('all is delivered in the end', async () => {
      await rig.advance(1_000, 100);
      return waiting(cache) === 0;
    });
  });

  it('counts what is offered besides the groups, such as parts of batches, against the rate', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open({ maxBytesPerS: 1_000, groupBatches: 1 });
    const workspace = workspaceOn(rig);
    workspace.isAway = false;
    for (let at = 0; at < 3; at += 1) await cache.put(batchOf('x'.repeat(500)));
    cache.spent(WORKSPACE, 6_000);
    cache.spent(OTHER, 6_000);
    cache.consume(workspace.deliver);
    await rig.advance(4_800, 200);
    assert.deepEqual(workspace.offers, [], 'five seconds of debt');
    await eventually('all is delivered in the end', async () => {
      await rig.advance(1_000, 100);
      return waiting(cache) === 0;
    });
  });
});
