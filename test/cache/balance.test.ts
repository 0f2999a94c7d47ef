import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLedger, unaccounted } from '../../src/cache/balance.ts';

const NOTHING = { batches: 0, bytes: 0 };

describe('createLedger', () => {
  it('adds up each entry by kind, and asks for what is cached', () => {
    const ledger = createLedger();
    ledger.add('received', 'Event', 2, 20);
    ledger.add('received', 'Event', 1, 5);
    ledger.add('delivered', 'Event', 1, 10);
    ledger.add('dropped', 'Alert', 1, 7);
    assert.deepEqual(
      ledger.balances((kind) => (kind === 'Event' ? { batches: 2, bytes: 15 } : NOTHING)),
      [
        {
          kind: 'Event',
          recovered: NOTHING,
          received: { batches: 3, bytes: 25 },
          delivered: { batches: 1, bytes: 10 },
          cached: { batches: 2, bytes: 15 },
          deadLettered: NOTHING,
          dropped: NOTHING,
        },
        {
          kind: 'Alert',
          recovered: NOTHING,
          received: NOTHING,
          delivered: NOTHING,
          cached: NOTHING,
          deadLettered: NOTHING,
          dropped: { batches: 1, bytes: 7 },
        },
      ],
    );
  });

  it('leaves out kinds of which nothing ever came', () => {
    assert.deepEqual(
      createLedger().balances(() => NOTHING),
      [],
    );
  });
});

describe('unaccounted', () => {
  const balanced = {
    recovered: { batches: 5, bytes: 1 },
    received: { batches: 10, bytes: 1 },
    delivered: { batches: 4, bytes: 1 },
    cached: { batches: 6, bytes: 1 },
    deadLettered: { batches: 3, bytes: 1 },
    dropped: { batches: 2, bytes: 1 },
  };

  it('is 0 when every batch is accounted for', () => assert.equal(unaccounted(balanced), 0));
  it('is what is missing', () => assert.equal(unaccounted({ ...balanced, cached: NOTHING }), 6));
  it('is negative when more left than came', () => assert.equal(unaccounted({ ...balanced, delivered: { batches: 5, bytes: 1 } }), -1));
});
