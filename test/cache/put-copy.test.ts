import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { createLedger } from '../../src/cache/balance.ts';
import type { PutOutcome } from '../../src/cache/cache.ts';
import type { Loss } from '../../src/cache/loss.ts';
import { createPutCopy } from '../../src/cache/put-copy.ts';
import { silentLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, OTHER, WORKSPACE } from './batches.ts';
import { cacheRig, missing, waiting } from './cache-rig.ts';

const ROOM = { limitPerWorkspaceBytes: 8_000, groupBatches: 1, groupBytes: 4_000, segmentBytes: 4_000 };

function sized(number: number, more: Partial<Batch> = {}): Batch {
  return batchOf(JSON.stringify({ DataItems: [{ number }, {}] }).padEnd(1_500), { workspaceId: OTHER, ...more });
}

describe('a copy for a workspace that is full', () => {
  it('is entered as a loss and in the books, and the next one is kept once there is room', async () => {
    await using rig = await cacheRig();
    const lost: Loss[] = [];
    const cache = await rig.open(ROOM, { onLoss: (loss) => void lost.push(loss) });
    const outcomes: string[] = [];
    for (let number = 1; number <= 8; number += 1) outcomes.push((await cache.putCopy(sized(number))).outcome);
    const stored = outcomes.filter((outcome) => outcome === 'stored').length;
    assert.deepEqual(outcomes, [...Array(stored).fill('stored'), ...Array(8 - stored).fill('lost')]);
    assert.ok(stored > 0 && stored < 8);
    assert.equal(lost.length, 8 - stored);
    const [entry, ...more] = cache.losses.list(OTHER);
    assert.deepEqual(
      [entry?.reason, entry?.batches, entry?.records, entry?.bytes, more],
      ['no-room-for-copy', 8 - stored, 2 * (8 - stored), 1_500 * (8 - stored), []],
    );
    const balance = cache.stats().workspaces.find(({ workspaceId }) => workspaceId === OTHER)?.balance[0];
    assert.deepEqual([balance?.received.batches, balance?.cached.batches, balance?.dropped.batches, missing(cache)], [8, stored, 8 - stored, 0]);
    assert.equal(rig.logged.filter(({ msg }) => msg.startsWith('copies for a workspace are given up')).length, 1);
    assert.equal((await cache.put(batchOf('its own', { workspaceId: WORKSPACE }))).outcome, 'stored');

    cache.consume(async (batches) => batches.map(() => ({ outcome: 'delivered' }) as const));
    await eventually('there is room', () => waiting(cache) === 0);
    assert.equal((await cache.putCopy(sized(9))).outcome, 'stored');
    assert.ok(rig.logged.some(({ msg }) => msg.startsWith('there is room for copies again')));
  });

  it('drops older data of lower kinds of its own workspace first, as any batch', async () => {
    await using rig = await cacheRig();
    const cache = await rig.open(ROOM);
    for (let number = 1; number <= 3; number += 1) await cache.put(sized(number, { kind: 'Performance' }));
    for (let number = 4; number <= 6; number += 1) assert.equal((await cache.putCopy(sized(number, { kind: 'Alert' }))).outcome, 'stored');
    assert.deepEqual([...new Set(cache.losses.list(OTHER).map(({ kind, reason }) => `${kind} ${reason}`))], ['Performance cache-full']);
    assert.equal(missing(cache), 0);
  });
});

describe('a copy that is not kept', () => {
  const rigOf = (outcome: PutOutcome, obstacle?: string, enter: (losses: readonly Loss[]) => Promise<void> = async () => {}) =>
    createPutCopy({ put: async () => outcome, obstacle: () => obstacle, ledgerOf: () => createLedger(), losses: { enter }, log: silentLogger });

  it('because disk or Redis is full is no loss: its sender still has it', async () => {
    const full: PutOutcome = { outcome: 'full', message: 'The disk is almost full.' };
    assert.deepEqual(await rigOf(full, 'The disk is almost full.', () => assert.fail('a loss was entered'))(sized(1)), full);
  });

  it('and that cannot be entered as a loss either is not acknowledged', async () => {
    const outcome = await rigOf({ outcome: 'full', message: 'no room.' }, undefined, () => Promise.reject(new Error('the disk is broken')))(sized(1));
    assert.deepEqual([outcome.outcome, 'message' in outcome && outcome.message.includes('the disk is broken')], ['unavailable', true]);
  });

  it('shares its sync with those that come while one is under way', async () => {
    const written: number[] = [];
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const putCopy = rigOf({ outcome: 'full', message: 'no room.' }, undefined, async (losses) => {
      written.push(losses.length);
      await begun;
    });
    const first = putCopy(sized(1));
    await eventually('the first is being written', () => written.length === 1);
    const others = [2, 3, 4, 5].map((number) => putCopy(sized(number)));
    await eventually('the others wait', async () => (await Promise.race([...others, new Promise((done) => setImmediate(done, 'waits'))])) === 'waits');
    resolve();
    const outcomes = await Promise.all([first, ...others]);
    assert.ok(outcomes.every(({ outcome }) => outcome === 'lost'));
    assert.deepEqual(written, [1, 4]);
  });
});
