import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createWatchdog } from '../../src/cache/watchdog.ts';
import type { RelayError } from '../../src/errors.ts';
import { createLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, WORKSPACE } from './batches.ts';
import { cacheRig, waiting } from './cache-rig.ts';

const MINUTE_MS = 60_000;

function rig(): { check(times: number): Promise<void>; progress: number; mustMove: boolean; readonly said: string[] } {
  const said: string[] = [];
  const log = createLogger('error', { write: () => void said.push('log') });
  const state = { progress: 0, mustMove: true, said };
  const watchdog = createWatchdog({
    workspaceId: WORKSPACE,
    afterMs: 10 * MINUTE_MS,
    checkEveryMs: MINUTE_MS,
    progress: () => state.progress,
    mustMove: () => state.mustMove,
    sendCanary: async () => void said.push('canary'),
    reconnect: () => said.push('reconnect'),
    onStuck: (error: RelayError) => said.push(error.code),
    log,
  });
  return Object.assign(state, {
    async check(times: number) {
      for (let time = 0; time < times; time += 1) await watchdog.check();
    },
  });
}

describe('the watchdog', () => {
  it('reconnects once when nothing moves for ten minutes, and gives up after ten more', async () => {
    const dog = rig();
    await dog.check(9);
    assert.deepEqual(new Set(dog.said), new Set(['canary']));
    await dog.check(1);
    assert.deepEqual(dog.said.slice(9), ['log', 'reconnect', 'canary']);
    dog.said.length = 0;
    await dog.check(9);
    assert.deepEqual(new Set(dog.said), new Set(['canary']));
    await dog.check(1);
    assert.equal(dog.said.at(-2), 'relay.cache.stuck');
  });

  it('begins anew with every sign of life', async () => {
    const dog = rig();
    for (let round = 0; round < 5; round += 1) {
      await dog.check(10 + 8);
      dog.progress += 1;
      await dog.check(1);
    }
    assert.equal(dog.said.filter((word) => word === 'reconnect').length, 5);
    assert.ok(!dog.said.includes('relay.cache.stuck'));
  });

  it('leaves a queue alone that need not move', async () => {
    const dog = rig();
    dog.mustMove = false;
    await dog.check(100);
    assert.deepEqual(dog.said, []);
  });
});

describe('the cache under the watchdog', () => {
  it('proves every minute, when idle too, that it consumes', async () => {
    await using rig = await cacheRig();
    const stuck: string[] = [];
    const cache = await rig.open(
      { watchdogMs: 10 * MINUTE_MS },
      { onStuck: ({ code }) => void stuck.push(code), onReconnect: () => void stuck.push('reconnect') },
    );
    const offered: number[] = [];
    cache.consume((batches) => {
      offered.push(batches.length);
      return Promise.resolve(batches.map(() => ({ outcome: 'delivered' })));
    });
    const progressAt = (): number => cache.stats().workspaces[0]?.lastProgressAt ?? 0;
    for (let minute = 1; minute <= 30; minute += 1) {
      const before = progressAt();
      rig.clock.advance(MINUTE_MS);
      // A canary that comes while the consumer looks is found at its next look, two seconds later.
      await eventually(`a canary came through in minute ${minute}`, () => {
        rig.clock.advance(200);
        return progressAt() > before;
      });
    }
    assert.deepEqual([stuck, offered, waiting(cache)], [[], [], 0]);
    await cache.put(batchOf('a'));
    await eventually('data flows as before', () => waiting(cache) === 0);
    assert.deepEqual(offered, [1]);
  });

  it('makes the connection anew and then says that it is stuck when nothing comes back from a workspace that answered', async () => {
    await using rig = await cacheRig();
    const said: string[] = [];
    const cache = await rig.open(
      { watchdogMs: 2 * MINUTE_MS, groupsInFlight: 1 },
      { onStuck: ({ code }) => void said.push(code), onReconnect: () => void said.push('reconnect') },
    );
    cache.consume(() => new Promise(() => {}));
    await cache.put(batchOf('a'));
    await eventually('it is in flight', () => cache.stats().workspaces[0]?.groupsInFlight === 1);
    for (let minute = 0; minute < 6 && said.length < 2; minute += 1) {
      const before = cache.stats().workspaces[1]?.lastProgressAt ?? 0;
      rig.clock.advance(MINUTE_MS);
      await eventually('the other workspace moves', () => {
        rig.clock.advance(200);
        return (cache.stats().workspaces[1]?.lastProgressAt ?? 0) > before;
      });
    }
    assert.deepEqual(said.slice(0, 2), ['reconnect', 'relay.cache.stuck']);
    const closing = cache.close(1_000);
    await eventually('it gives up what hangs', async () => {
      rig.clock.advance(1_000);
      return await Promise.race([closing.then(() => true), new Promise<false>((resolve) => setTimeout(resolve, 5, false))]);
    });
  });
});
