import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQueryTurns } from '../../../src/local-workspace/engine/query-turns.ts';

const staying = (): AbortSignal => new AbortController().signal;

test('as many queries run as may, and the others in the order in which they came', async () => {
  const turns = createQueryTurns(2);
  const order: number[] = [];
  const [first, second] = [await turns.take(staying()), await turns.take(staying())];
  const later = [3, 4].map(async (number) => {
    const end = await turns.take(staying());
    order.push(number);
    return end;
  });
  await Promise.resolve();
  assert.deepEqual(order, []);
  first?.();
  // Ending twice gives no second turn.
  first?.();
  const third = await later[0];
  assert.deepEqual(order, [3]);
  second?.();
  const fourth = await later[1];
  assert.deepEqual(order, [3, 4]);
  third?.();
  fourth?.();
  assert.ok(await turns.take(staying()));
});

test('a query whose asker has gone gets no turn and takes none', async () => {
  const turns = createQueryTurns(1);
  const end = await turns.take(staying());
  const gone = new AbortController();
  const waits = turns.take(gone.signal);
  const next = turns.take(staying());
  gone.abort();
  assert.equal(await waits, undefined);
  assert.equal(await turns.take(gone.signal), undefined);
  end?.();
  assert.ok(await next);
});
