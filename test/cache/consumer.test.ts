import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Batch } from '../../src/batch/batch.ts';
import { partId } from '../../src/batch/batch-id.ts';
import type { Deliver, RefusedPart, Verdict } from '../../src/batch/verdict.ts';
import { createLedger, type Ledger, unaccounted } from '../../src/cache/balance.ts';
import { type Consumer, createConsumer } from '../../src/cache/consumer.ts';
import { type DeadLetters, openDeadLetters } from '../../src/cache/dead-letters.ts';
import type { PayloadStore } from '../../src/cache/payload-store.ts';
import { createLogger } from '../../src/logger.ts';
import { eventually } from '../support/eventually.ts';
import { batchOf, START_MS, textsOf, WORKSPACE } from './batches.ts';
import { createMemoryIndex, type MemoryIndex } from './memory-index.ts';
import { type SegmentRig, segmentRig } from './segment-rig.ts';

const MINUTE_MS = 60_000;
const EIGHT_MINUTES_MS = 8 * MINUTE_MS;
const DELIVERED: Verdict = { outcome: 'delivered' };
const AWAY: Verdict = { outcome: 'retry', scope: 'workspace', reason: 'connect ECONNREFUSED' };
const ALONE: Verdict = { outcome: 'retry', scope: 'batch', reason: '500 for this one' };
const REFUSED: Verdict = { outcome: 'refused', status: 400, answer: 'no such field' };

interface Rig extends AsyncDisposable {
  readonly files: SegmentRig;
  readonly store: PayloadStore;
  readonly index: MemoryIndex;
  readonly deadLetters: DeadLetters;
  readonly ledger: Ledger;
  readonly consumer: Consumer;
  /** Messages logged, with their level. */
  readonly logged: { readonly level: string; readonly msg: string }[];
  /** What was offered upstream, attempt by attempt. */
  readonly offers: string[][];
  /** Milliseconds since the start of each attempt. */
  readonly offeredAt: number[];
  /** Decides the verdict of each batch. */
  judge: (batch: Batch, at: number) => Verdict | Promise<Verdict>;
  start(): void;
  add(...texts: string[]): Promise<void>;
  unaccounted(): number;
  /** Lets everything that can happen without time passing happen. */
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
}

async function rigWith(more: { groupsInFlight?: number; deliver?: Deliver; deadLetters?: DeadLetters } = {}): Promise<Rig> {
  const files = await segmentRig();
  const { clock } = files;
  const store = await files.open({ memoryBytes: 1_000_000 });
  const index = createMemoryIndex(clock.now);
  const deadLetters = more.deadLetters ?? (await openDeadLetters(`${files.folder}/dead-letters`, files.keys));
  const ledger = createLedger();
  const logged: Rig['logged'] = [];
  const log = createLogger('debug', { write: (line: string) => void logged.push(JSON.parse(line) as Rig['logged'][number]) });
  const consumer = createConsumer({
    workspaceId: WORKSPACE,
    index,
    store,
    deadLetters,
    ledger,
    schedule: { everyMs: EIGHT_MINUTES_MS, windowMs: 120 * MINUTE_MS },
    groupsInFlight: more.groupsInFlight ?? 4,
    clock,
    log,
  });
  let added = 0;
  let busy = 0;
  const rig: Rig = {
    files,
    store,
    index,
    deadLetters,
    ledger,
    consumer,
    logged,
    offers: [],
    offeredAt: [],
    judge: () => DELIVERED,
    start: () =>
      consumer.start(async (batches, signal) => {
        rig.offers.push(textsOf(batches));
        rig.offeredAt.push(clock.now() - START_MS);
        busy += 1;
        try {
          const judged = more.deliver?.(batches, signal) ?? Promise.all(batches.map((batch, at) => rig.judge(batch, at)));
          return await judged;
        } finally {
          busy -= 1;
        }
      }),
    async add(...texts) {
      added += 1;
      const batches = texts.map((text) => batchOf(text, { receivedAt: START_MS + added }));
      for (const { body } of batches) ledger.add('received', 'Event', 1, body.length);
      await index.add(await store.append(batches));
      consumer.added();
    },
    unaccounted: () => ledger.balances((kind) => store.cached(WORKSPACE, kind)).reduce((sum, balance) => sum + Math.abs(unaccounted(balance)), 0),
    async settle() {
      // Work on files takes an unknown number of turns; what hangs in the test's own deliver does not count.
      const deadline = performance.now() + 20_000;
      let before = '';
      for (let quiet = 0; quiet < 20; ) {
        assert.ok(performance.now() < deadline, 'it never settles');
        await new Promise(setImmediate);
        const inFlight = consumer.inFlight().size;
        const now = `${rig.index.calls.length} ${rig.offers.length} ${inFlight} ${logged.length}`;
        quiet = now === before && inFlight === busy ? quiet + 1 : 0;
        before = now;
      }
    },
    async advance(ms) {
      clock.advance(ms);
      await rig.settle();
    },
    async [Symbol.asyncDispose]() {
      const stopping = consumer.stop(0);
      clock.advance(10_000);
      clock.advance(10_000);
      await stopping;
      await store.close();
      await files[Symbol.asyncDispose]();
    },
  };
  return rig;
}

describe('the consumer', () => {
  it('delivers what is cached, oldest first, and forgets it', async () => {
    await using rig = await rigWith({ groupsInFlight: 1 });
    for (const text of ['a', 'b', 'c']) await rig.add(text);
    rig.start();
    await rig.settle();
    assert.deepEqual(rig.offers, [['a'], ['b'], ['c']]);
    assert.deepEqual(await rig.index.ids(), []);
    assert.equal(rig.store.groups(WORKSPACE), 0);
    assert.equal(rig.unaccounted(), 0);
  });

  it('delivers what is added while it has nothing to do, or while it is busy', async () => {
    await using rig = await rigWith({ groupsInFlight: 1 });
    rig.start();
    await rig.settle();
    const gate = Promise.withResolvers<Verdict>();
    rig.judge = () => gate.promise;
    await rig.add('a');
    await rig.settle();
    rig.judge = () => DELIVERED;
    for (const text of ['b', 'c']) await rig.add(text);
    await rig.settle();
    assert.equal(rig.offers.length, 1);
    gate.resolve(DELIVERED);
    await eventually('all is delivered', () => rig.store.groups(WORKSPACE) === 0);
    assert.deepEqual(rig.offers, [['a'], ['b'], ['c']]);
  });

  it('offers as many groups at a time as it may', async () => {
    await using rig = await rigWith({ groupsInFlight: 3 });
    const gate = Promise.withResolvers<Verdict>();
    rig.judge = () => gate.promise;
    for (const text of ['a', 'b', 'c', 'd', 'e']) await rig.add(text);
    rig.start();
    await rig.settle();
    assert.deepEqual(rig.offers, [['a'], ['b'], ['c']]);
    assert.equal(rig.consumer.inFlight().size, 3);
    gate.resolve(DELIVERED);
    await eventually('all is delivered', () => rig.store.groups(WORKSPACE) === 0);
  });

  it('tries one group, the oldest, every eight minutes for two hours, then holds and goes on; the answer lets everything go in order', async () => {
    await using rig = await rigWith();
    for (const text of ['a', 'b', 'c', 'd', 'e', 'f']) await rig.add(text);
    const gate = Promise.withResolvers<Verdict>();
    rig.judge = () => gate.promise;
    rig.start();
    await rig.settle();
    rig.judge = () => AWAY;
    gate.resolve(AWAY);
    await rig.settle();
    assert.deepEqual(rig.offers, [['a'], ['b'], ['c'], ['d']]);
    assert.equal(rig.consumer.state().state, 'resting');

    rig.offers.length = 0;
    rig.offeredAt.length = 0;
    for (let minute = 1; minute <= 160; minute += 1) {
      await rig.advance(MINUTE_MS);
      assert.equal(rig.consumer.state().state, minute < 120 ? 'resting' : 'held', `minute ${minute}`);
    }
    assert.deepEqual(
      rig.offeredAt.map((at) => at / MINUTE_MS),
      Array.from({ length: 20 }, (_, at) => (at + 1) * 8),
    );
    assert.deepEqual(new Set(rig.offers.flat()), new Set(['a']));
    assert.equal(rig.logged.filter(({ level }) => level === 'warn').length, 1, 'an outage is one line');

    rig.judge = () => DELIVERED;
    rig.offers.length = 0;
    await rig.advance(EIGHT_MINUTES_MS);
    await eventually('all is delivered', () => rig.store.groups(WORKSPACE) === 0);
    assert.deepEqual(rig.offers, [['a'], ['b'], ['c'], ['d'], ['e'], ['f']]);
    assert.deepEqual(rig.consumer.state(), { state: 'awake' });
    assert.equal(rig.unaccounted(), 0);
  });

  it('tries at the exact instant, not a millisecond before', async () => {
    await using rig = await rigWith();
    await rig.add('a');
    rig.judge = () => AWAY;
    rig.start();
    await rig.settle();
    await rig.advance(EIGHT_MINUTES_MS - 1);
    assert.equal(rig.offers.length, 1);
    await rig.advance(1);
    assert.deepEqual(rig.offeredAt, [0, EIGHT_MINUTES_MS]);
  });

  it('is not woken from its rest by new batches', async () => {
    await using rig = await rigWith();
    await rig.add('a');
    rig.judge = () => AWAY;
    rig.start();
    await rig.settle();
    for (const text of ['b', 'c', 'd']) await rig.add(text);
    await rig.advance(EIGHT_MINUTES_MS - 1);
    assert.deepEqual(rig.offers, [['a']]);
    rig.judge = () => DELIVERED;
    await rig.advance(1);
    await eventually('all is delivered', () => rig.store.groups(WORKSPACE) === 0);
    assert.deepEqual(rig.offers, [['a'], ['a'], ['b'], ['c'], ['d']]);
  });

  it('honours Retry-After, but never waits longer than the interval', async () => {
    for (const [askedMs, waitedMs] of [
      [30_000, 30_000],
      [0, 1_000],
      [86_400_000, EIGHT_MINUTES_MS],
    ] as const) {
      await using rig = await rigWith();
      await rig.add('a');
      rig.judge = () => ({ ...AWAY, retryAfterMs: askedMs }) as Verdict;
      rig.start();
      await rig.settle();
      await rig.advance(waitedMs - 1);
      assert.equal(rig.offers.length, 1);
      await rig.advance(1);
      assert.equal(rig.offers.length, 2);
    }
  });

  it('delays a group that fails alone by the schedule while the others pass', async () => {
    await using rig = await rigWith({ groupsInFlight: 2 });
    rig.judge = (batch) => (batch.body.toString() === 'bad' ? ALONE : DELIVERED);
    for (const text of ['a', 'bad', 'b', 'c']) await rig.add(text);
    rig.start();
    await rig.settle();
    assert.equal(rig.store.groups(WORKSPACE), 1);
    assert.deepEqual(rig.consumer.state(), { state: 'awake' });
    rig.offers.length = 0;
    rig.offeredAt.length = 0;
    for (let minute = 0; minute < 24; minute += 1) await rig.advance(MINUTE_MS);
    assert.deepEqual(rig.offers, [['bad'], ['bad'], ['bad']]);
    assert.deepEqual(
      rig.offeredAt.map((at) => at / MINUTE_MS),
      [8, 16, 24],
    );
    rig.judge = () => DELIVERED;
    await rig.advance(EIGHT_MINUTES_MS);
    assert.equal(rig.store.groups(WORKSPACE), 0);
    assert.equal(rig.unaccounted(), 0);
  });

  it('delivers the members of a group that pass, and offers only the others again', async () => {
    await using rig = await rigWith();
    rig.judge = (batch) => (batch.body.toString() === 'bad' ? ALONE : DELIVERED);
    await rig.add('a', 'bad', 'b');
    rig.start();
    await rig.settle();
    assert.equal(rig.unaccounted(), 0);
    rig.judge = () => DELIVERED;
    await rig.advance(EIGHT_MINUTES_MS);
    assert.deepEqual(rig.offers, [['a', 'bad', 'b'], ['bad']]);
    assert.equal(rig.unaccounted(), 0);
  });

  it('makes refused batches dead letters, counts each once, and delivers the rest of the group', async () => {
    await using rig = await rigWith();
    rig.judge = (batch) => (batch.body.toString().startsWith('bad') ? REFUSED : DELIVERED);
    await rig.add('a', 'bad 1', 'b', 'bad 2');
    rig.start();
    await eventually('the group is done', () => rig.store.groups(WORKSPACE) === 0);
    const letters = await rig.deadLetters.list({ workspaceId: WORKSPACE });
    assert.deepEqual(
      letters.map(({ status, answer, reason }) => ({ status, answer, reason })),
      [
        { status: 400, answer: 'no such field', reason: 'refused' },
        { status: 400, answer: 'no such field', reason: 'refused' },
      ],
    );
    const [balance] = rig.ledger.balances((kind) => rig.store.cached(WORKSPACE, kind));
    assert.deepEqual(balance?.deadLettered, { batches: 2, bytes: 10 });
    assert.deepEqual(balance?.delivered, { batches: 2, bytes: 2 });
    assert.equal(rig.unaccounted(), 0);
  });

  it('makes dead letters of the refused parts of a batch; it counts as delivered when any of its records was', async () => {
    await using rig = await rigWith();
    const refused = (batch: Batch, parts: number): RefusedPart[] =>
      Array.from({ length: parts }, (_, at) => ({ batch: { ...batch, id: partId(batch.id, at, at + 1) }, records: 1, status: 400, answer: 'no such field' }));
    rig.judge = (batch) => {
      if (batch.body.toString() === 'some') return { outcome: 'split', deliveredRecords: 7, refused: refused(batch, 3) };
      if (batch.body.toString() === 'all bad') return { outcome: 'split', deliveredRecords: 0, refused: refused(batch, 2) };
      return { outcome: 'split', deliveredRecords: 9, refused: [] };
    };
    await rig.add('some', 'all bad', 'too large');
    rig.start();
    await eventually('the group is done', () => rig.store.groups(WORKSPACE) === 0);
    assert.deepEqual(
      (await rig.deadLetters.list()).map(({ status, records, answer }) => [status, records, answer]),
      Array.from({ length: 5 }, () => [400, 1, 'no such field']),
    );
    const [balance] = rig.ledger.balances((kind) => rig.store.cached(WORKSPACE, kind));
    assert.deepEqual(
      [balance?.delivered, balance?.deadLettered],
      [
        { batches: 2, bytes: 13 },
        { batches: 1, bytes: 7 },
      ],
    );
    assert.equal(rig.unaccounted(), 0);
  });

  it('keeps a refused batch cached as long as its dead letter cannot be written', async () => {
    let isDiskFull = true;
    const files = await segmentRig();
    const real = await openDeadLetters(`${files.folder}/dead-letters`, files.keys);
    const deadLetters: DeadLetters = { ...real, put: (...letter) => (isDiskFull ? Promise.reject(new Error('ENOSPC')) : real.put(...letter)) };
    await using rig = await rigWith({ deadLetters });
    rig.judge = () => REFUSED;
    await rig.add('bad');
    rig.start();
    await rig.settle();
    assert.equal(rig.store.groups(WORKSPACE), 1);
    assert.equal(rig.unaccounted(), 0);
    isDiskFull = false;
    await rig.advance(EIGHT_MINUTES_MS);
    await eventually('the letter is written', () => rig.store.groups(WORKSPACE) === 0);
    assert.equal((await real.list()).length, 1);
    assert.equal(rig.unaccounted(), 0);
    await files[Symbol.asyncDispose]();
  });

  it('waits for an index that is away, says so once, and goes on when it is back', async () => {
    await using rig = await rigWith();
    await rig.add('a');
    rig.index.isAway = true;
    rig.start();
    await rig.settle();
    for (let second = 0; second < 60; second += 2) await rig.advance(2_000);
    assert.deepEqual(
      rig.logged.map(({ msg }) => msg),
      ['the index does not answer; what is cached waits until it does'],
    );
    rig.index.isAway = false;
    await rig.advance(2_000);
    assert.deepEqual(rig.offers, [['a']]);
    assert.ok(rig.logged.some(({ msg }) => msg === 'the index answers again'));
  });

  it('loses no group that could not be finished, delayed or put back: it is found and offered again', async () => {
    for (const verdict of [DELIVERED, ALONE, AWAY]) {
      await using rig = await rigWith();
      await rig.add('a');
      rig.judge = () => {
        rig.index.isAway = true;
        return verdict;
      };
      rig.start();
      await rig.settle();
      rig.index.isAway = false;
      rig.judge = () => DELIVERED;
      for (let second = 0; second < 30; second += 10) await rig.advance(10_000);
      await rig.advance(EIGHT_MINUTES_MS);
      assert.deepEqual(await rig.index.ids(), []);
      assert.equal(rig.store.groups(WORKSPACE), 0);
      assert.equal(rig.unaccounted(), 0);
    }
  });

  it('finds a group whose taking was done but never heard of, within half a minute', async () => {
    await using rig = await rigWith();
    rig.start();
    await rig.settle();
    await rig.index.add(await rig.store.append([batchOf('lost')]));
    rig.index.loseNext();
    for (let second = 0; second < 30; second += 10) await rig.advance(10_000);
    assert.deepEqual(rig.offers, [['lost']]);
  });

  it('does not release a group that it works on, however long that takes', async () => {
    await using rig = await rigWith();
    const gate = Promise.withResolvers<Verdict>();
    rig.judge = () => gate.promise;
    await rig.add('slow');
    rig.start();
    await rig.settle();
    for (let second = 0; second < 300; second += 10) await rig.advance(10_000);
    assert.deepEqual(rig.offers, [['slow']]);
    gate.resolve(DELIVERED);
    await eventually('it is delivered', () => rig.store.groups(WORKSPACE) === 0);
  });

  it('takes nothing while it must not, and goes on afterwards', async () => {
    await using rig = await rigWith();
    rig.start();
    await rig.settle();
    const gate = Promise.withResolvers<void>();
    const held = rig.consumer.withoutTaking(() => gate.promise);
    await rig.add('a');
    await rig.advance(10_000);
    assert.deepEqual(rig.offers, []);
    gate.resolve();
    await held;
    await rig.settle();
    assert.deepEqual(rig.offers, [['a']]);
  });

  it('removes entries of groups that are done or gone', async () => {
    await using rig = await rigWith();
    const group = await rig.store.append([batchOf('gone')]);
    await rig.index.add(group);
    rig.store.withdraw(group.id);
    rig.start();
    await rig.settle();
    assert.deepEqual(rig.offers, []);
    assert.deepEqual(await rig.index.ids(), []);
  });

  it('survives a deliver that throws, or that gives no verdicts: the group is tried again by the schedule', async () => {
    for (const broken of [() => Promise.reject(new Error('a bug')), () => Promise.resolve([])]) {
      let isBroken = true;
      await using rig = await rigWith({ deliver: (batches) => (isBroken ? broken() : Promise.resolve(batches.map(() => DELIVERED))) });
      await rig.add('a');
      rig.start();
      await rig.settle();
      await rig.advance(EIGHT_MINUTES_MS - 1);
      assert.equal(rig.offers.length, 1);
      isBroken = false;
      await rig.advance(1);
      assert.equal(rig.store.groups(WORKSPACE), 0);
      assert.equal(rig.unaccounted(), 0);
    }
  });

  it('counts members that cannot be read as dropped, says so, and delivers the others', async () => {
    await using rig = await rigWith();
    await rig.add('a', 'b', 'c');
    const { read } = rig.store;
    const spoiled: PayloadStore = Object.assign(rig.store, {
      read: async (id: Parameters<typeof read>[0]) =>
        (await read(id))?.map((member) => (member.position === 1 ? { position: 1, content: { readable: false, bytes: 1, message: 'a bit changed' } } : member)),
    });
    assert.equal(spoiled, rig.store);
    rig.start();
    await rig.settle();
    assert.deepEqual(rig.offers, [['a', 'c']]);
    const [balance] = rig.ledger.balances((kind) => rig.store.cached(WORKSPACE, kind));
    assert.deepEqual(balance?.dropped, { batches: 1, bytes: 1 });
    assert.equal(rig.unaccounted(), 0);
    assert.equal(rig.logged.filter(({ level }) => level === 'error').length, 1);
  });

  it('when stopped lets what is in flight finish', async () => {
    await using rig = await rigWith();
    const gate = Promise.withResolvers<Verdict>();
    rig.judge = () => gate.promise;
    await rig.add('a');
    rig.start();
    await rig.settle();
    await rig.add('later');
    const stopping = rig.consumer.stop(5_000);
    gate.resolve(DELIVERED);
    await stopping;
    assert.ok(rig.store.groups(WORKSPACE) <= 1);
    assert.equal(rig.unaccounted(), 0);
  });

  it('when stopped gives back what does not finish in time, the oldest as the next one', async () => {
    await using rig = await rigWith({
      deliver: (batches, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(batches.map(() => AWAY)));
        }),
    });
    for (const text of ['a', 'b', 'c', 'd', 'e']) await rig.add(text);
    rig.start();
    await rig.settle();
    const stopping = rig.consumer.stop(5_000);
    rig.files.clock.advance(5_000);
    await stopping;
    assert.deepEqual(await rig.index.takenIds(), []);
    const next = await rig.index.take();
    assert.equal(next?.oldestAt, START_MS + 1);
    assert.equal(rig.store.groups(WORKSPACE), 5);
  });

  it('when stopped does not wait for ever for a deliver that does not listen', async () => {
    await using rig = await rigWith({ deliver: () => new Promise(() => {}) });
    await rig.add('a');
    rig.start();
    await rig.settle();
    const stopping = rig.consumer.stop(5_000);
    rig.files.clock.advance(5_000);
    rig.files.clock.advance(1_000);
    await stopping;
    assert.equal(rig.store.groups(WORKSPACE), 1);
  });

  it('when stopped leaves no timer behind', async () => {
    await using rig = await rigWith();
    rig.judge = (batch) => (batch.body.toString() === 'bad' ? ALONE : DELIVERED);
    const before = rig.files.clock.waits().length;
    await rig.add('bad');
    rig.start();
    await rig.settle();
    assert.ok(rig.files.clock.waits().length > before);
    await rig.consumer.stop(1_000);
    await rig.settle();
    assert.equal(rig.files.clock.waits().length, before);
  });
});
