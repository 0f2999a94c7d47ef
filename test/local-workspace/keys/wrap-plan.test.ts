import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dueAt, wrapPlan } from '../../../src/local-workspace/keys/wrap-plan.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 10, 23);
const BY = { provider: 'service', keyId: 'a', since: new Date(START).toISOString() } as const;
const FACTS = { by: BY, isByWanted: true, currentKeyId: 'a', canRenew: true, rotateEvery: 90, now: START };

test('a data key is wrapped anew when another provider is wanted, when there is a newer key, and when its key is due', () => {
  for (const [what, facts, plan] of [
    ['nothing new', {}, 'stay'],
    ['a millisecond before it is due', { now: START + 90 * DAY_MS - 1 }, 'stay'],
    ['due', { now: START + 90 * DAY_MS }, 'renew'],
    ['due by shorter settings', { now: START + DAY_MS, rotateEvery: 1 }, 'renew'],
    ["due, but the customer's to renew", { now: START + 90 * DAY_MS, canRenew: false }, 'stay'],
    ['a newer key', { currentKeyId: 'b' }, 'wrap'],
    ['due, and somebody made a newer key already', { currentKeyId: 'b', now: START + 90 * DAY_MS }, 'wrap'],
    ['another provider with a key of the same id', { isByWanted: false }, 'wrap'],
  ] as const) {
    assert.equal(wrapPlan({ ...FACTS, ...facts }), plan, what);
  }
  assert.equal(dueAt(BY, 90), START + 90 * DAY_MS);
});
