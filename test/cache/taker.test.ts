import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TakenGroup } from '../../src/cache/group-index.ts';
import type { StoredGroup } from '../../src/cache/payload-store.ts';
import type { GroupId } from '../../src/cache/segment-format.ts';
import { createTaker, type Taker } from '../../src/cache/taker.ts';
import { createLogger } from '../../src/logger.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { START_MS, WORKSPACE } from './batches.ts';
import { createMemoryIndex, type MemoryIndex } from './memory-index.ts';

const POLL_MS = 2_000;

function group(number: number): StoredGroup {
  return { id: `Event-${number}` as GroupId, workspaceId: WORKSPACE, kind: 'Event', batches: 1, bytes: 10, oldestAt: START_MS + number };
}

interface Rig {
  readonly index: MemoryIndex;
  readonly taker: Taker;
  readonly taken: TakenGroup[];
  /** How often the index was asked. */
  asked: number;
  places: number;
  add(number: number): Promise<void>;
  /** Lets everything happen that can without time passing. */
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
}

function rigWith(): Rig {
  const clock = createManualClock(START_MS);
  const memory = createMemoryIndex(clock.now);
  const taken: TakenGroup[] = [];
  const index: MemoryIndex = {
    ...memory,
    take() {
      rig.asked += 1;
      return memory.take();
    },
  };
  const taker = createTaker({
    workspaceId: WORKSPACE,
    index,
    isAwake: () => true,
    hasPlace: () => taken.length < rig.places,
    onTaken: (one) => void taken.push(one),
    onCanary: () => {},
    clock,
    log: createLogger('silent'),
  });
  const rig: Rig = {
    index,
    taker,
    taken,
    asked: 0,
    places: Number.POSITIVE_INFINITY,
    async add(number) {
      await memory.add(group(number));
      taker.added();
    },
    async settle() {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    },
    async advance(ms) {
      clock.advance(ms);
      await rig.settle();
    },
  };
  return rig;
}

describe('the taker', () => {
  it('asks the index once for each group that was added, and once to see that there was none before', async () => {
    const rig = rigWith();
    rig.taker.start();
    await rig.settle();
    for (let number = 1; number <= 10; number += 1) {
      await rig.add(number);
      await rig.settle();
      rig.taker.next();
      await rig.settle();
    }
    assert.equal(rig.taken.length, 10);
    assert.equal(rig.asked, 11);
  });

  it('takes a group that is added while the index answers that it has none', async () => {
    const rig = rigWith();
    const answer = Promise.withResolvers<undefined>();
    const take = rig.index.take;
    Object.assign(rig.index, { take: () => answer.promise });
    rig.taker.start();
    await rig.settle();
    Object.assign(rig.index, { take });
    await rig.add(1);
    answer.resolve(undefined);
    await rig.settle();
    assert.deepEqual(
      rig.taken.map(({ id }) => id),
      ['Event-1'],
    );
  });

  it('takes what it could not while there was no place', async () => {
    const rig = rigWith();
    rig.places = 1;
    rig.taker.start();
    await rig.add(1);
    await rig.add(2);
    await rig.settle();
    assert.equal(rig.taken.length, 1);
    rig.places = 2;
    rig.taker.next();
    await rig.settle();
    assert.equal(rig.taken.length, 2);
  });

  it('finds what it was not told of within two seconds', async () => {
    const rig = rigWith();
    rig.taker.start();
    await rig.settle();
    await rig.index.add(group(1));
    rig.taker.next();
    await rig.settle();
    assert.equal(rig.taken.length, 0);
    await rig.advance(POLL_MS);
    assert.equal(rig.taken.length, 1);
  });
});
