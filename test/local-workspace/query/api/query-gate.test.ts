import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_QUEUED, MAX_REQUESTS, MAX_RUNNING, QUEUE_TIMEOUT_MS } from '../../../../src/local-workspace/query/api/limits.ts';
import { createQueryGate, type Entered, type QueryGate } from '../../../../src/local-workspace/query/api/query-gate.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

const stays = (): void => {};

async function full(gate: QueryGate, user: string): Promise<(() => void)[]> {
  const entered = await Promise.all(Array.from({ length: MAX_RUNNING }, () => gate.enter(user, stays)));
  return entered.map((each) => {
    assert.ok(each.kind === 'entered');
    return each.leave;
  });
}

function start(): { clock: ManualClock; gate: QueryGate } {
  const clock = createManualClock(0);
  return { clock, gate: createQueryGate(clock) };
}

test('200 requests pass in any 30 seconds, the next is told when to come again, and another user is not in its way', () => {
  const { clock, gate } = start();
  for (let sent = 0; sent < MAX_REQUESTS; sent += 1) {
    assert.equal(gate.admit('a'), undefined);
    clock.advance(100);
  }
  const refused = gate.admit('a');
  assert.deepEqual([refused?.error, refused?.retryAfterS], ['tooManyRequests', 10]);
  assert.equal(gate.admit('b'), undefined);
  clock.advance(9_999);
  assert.equal(gate.admit('a')?.retryAfterS, 1);
  clock.advance(1);
  assert.equal(gate.admit('a'), undefined);
  assert.equal(gate.admit('a')?.error, 'tooManyRequests');
});

test('five queries of a user run, the sixth goes as soon as one has left, first come first served', async () => {
  const { gate } = start();
  const [leave] = await full(gate, 'a');
  const order: string[] = [];
  const waiting = ['sixth', 'seventh'].map(async (name) => {
    const entered = await gate.enter('a', stays);
    order.push(name);
    return entered;
  });
  assert.equal((await gate.enter('b', stays)).kind, 'entered');
  assert.deepEqual(order, []);
  leave?.();
  // A place is given back once, however often its owner says so.
  leave?.();
  const sixth = await waiting[0];
  assert.deepEqual(order, ['sixth']);
  assert.ok(sixth?.kind === 'entered');
  sixth.leave();
  assert.equal((await waiting[1])?.kind, 'entered');
});

test('two hundred wait, and the next is refused at once', async () => {
  const { gate } = start();
  const [leave] = await full(gate, 'a');
  const waiting = Array.from({ length: MAX_QUEUED }, () => gate.enter('a', stays));
  const refused = await gate.enter('a', stays);
  assert.ok(refused.kind === 'refused');
  assert.deepEqual([refused.error.error, refused.error.retryAfterS], ['queueFull', 30]);
  leave?.();
  assert.equal((await waiting[0])?.kind, 'entered');
});

test('who waited three minutes is refused, and its place in the queue is free', async () => {
  const { clock, gate } = start();
  const [leave] = await full(gate, 'a');
  const first = gate.enter('a', stays);
  clock.advance(QUEUE_TIMEOUT_MS - 1);
  const second = gate.enter('a', stays);
  clock.advance(1);
  const refused = await first;
  assert.ok(refused.kind === 'refused');
  assert.deepEqual([refused.error.error, refused.error.retryAfterS], ['queueTimeout', 30]);
  leave?.();
  assert.equal((await second).kind, 'entered');
  assert.deepEqual(clock.waits(), []);
});

test('who has gone leaves the queue, and no timer behind', async () => {
  const { clock, gate } = start();
  const [leave] = await full(gate, 'a');
  let goAway = stays;
  const gone = gate.enter('a', (away) => {
    goAway = away;
  });
  const next: Promise<Entered> = gate.enter('a', stays);
  goAway();
  assert.equal((await gone).kind, 'gone');
  leave?.();
  assert.equal((await next).kind, 'entered');
  assert.deepEqual(clock.waits(), []);
});

test('users who have gone quiet are forgotten, those who have not keep their count', () => {
  const { clock, gate } = start();
  for (let user = 0; user < 1_000; user += 1) gate.admit(`quiet ${user}`);
  clock.advance(30_000);
  for (let sent = 0; sent < MAX_REQUESTS; sent += 1) gate.admit('busy');
  for (let user = 0; user < 2_000; user += 1) gate.admit(`other ${user}`);
  assert.equal(gate.admit('busy')?.error, 'tooManyRequests');
});
