import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Actor, By } from '../../../src/local-workspace/access/actor.ts';
import { DECISIONS, type Decision, endsAt, type RequestState, type Step, stateOf, whyNot } from '../../../src/local-workspace/access/request-state.ts';
import { HOUR } from './rig.ts';

// A request at 0 for four hours: its steps, the time, its state and when that ends by itself.
const STATES: readonly (readonly [steps: readonly (readonly [Step, number])[], now: number, state: RequestState, endsAt: number | undefined])[] = [
  [[], 0, 'requested', 12 * HOUR],
  [[], 12 * HOUR - 1, 'requested', 12 * HOUR],
  [[], 12 * HOUR, 'expired', 12 * HOUR],
  [[['rejected', 1]], 2, 'rejected', undefined],
  [[['withdrawn', 1]], 2, 'withdrawn', undefined],
  [[['expired', 12 * HOUR]], 0, 'expired', undefined],
  [[['approved', HOUR]], HOUR, 'approved', 5 * HOUR],
  [[['approved', HOUR]], 5 * HOUR - 1, 'approved', 5 * HOUR],
  [[['approved', HOUR]], 5 * HOUR, 'ended', 5 * HOUR],
  [[['approved', 11 * HOUR]], 13 * HOUR, 'approved', 15 * HOUR],
  [
    [
      ['approved', HOUR],
      ['withdrawn', 2 * HOUR],
    ],
    3 * HOUR,
    'withdrawn',
    undefined,
  ],
  // The clock was set back after the end was noted.
  [
    [
      ['approved', HOUR],
      ['ended', 5 * HOUR],
    ],
    2 * HOUR,
    'ended',
    undefined,
  ],
];

test('a request goes from one state to the next by decisions and by time', () => {
  for (const [steps, now, state, end] of STATES) {
    const timing = { requestedAt: 0, durationMs: 4 * HOUR, steps: steps.map(([step, at]) => ({ step, at })) };
    assert.equal(stateOf(timing, now), state, `${JSON.stringify(steps)} at ${now}`);
    assert.equal(endsAt(timing), end, JSON.stringify(steps));
  }
});

test('each decision is made from the states it belongs to', () => {
  assert.deepEqual(DECISIONS, { approved: ['requested'], rejected: ['requested'], withdrawn: ['requested', 'approved'] });
});

const OWNER: Actor = { kind: 'token', id: 'o1', name: 'owner', role: 'owner', from: '192.0.2.1' };
const SUPPORT: By = { kind: 'support', id: 's1', name: 'support' };
const OPERATOR: Actor = { kind: 'operator', id: 'operator', name: 'operator', role: 'owner', from: 'socket' };

const DECIDERS: readonly (readonly [who: Actor, decision: Decision, enteredBy: By, may: boolean])[] = [
  [OWNER, 'approved', SUPPORT, true],
  [OPERATOR, 'approved', SUPPORT, true],
  [{ ...OWNER, id: 's1' }, 'approved', SUPPORT, false],
  [{ ...OWNER, kind: 'support' }, 'approved', SUPPORT, false],
  [{ ...OWNER, kind: 'support' }, 'rejected', SUPPORT, false],
  [{ ...OWNER, role: 'reader' }, 'approved', SUPPORT, false],
  [{ ...OWNER, role: 'contributor' }, 'rejected', SUPPORT, false],
  [{ ...OWNER, role: 'data-purger' }, 'withdrawn', SUPPORT, false],
  [OWNER, 'approved', OWNER, false],
  [OPERATOR, 'approved', OPERATOR, false],
  [OWNER, 'approved', OPERATOR, true],
  [OPERATOR, 'rejected', OPERATOR, true],
  [OPERATOR, 'withdrawn', OPERATOR, true],
];

test('a yes needs a second person who is an owner; a no needs one', () => {
  for (const [who, decision, requestedBy, may] of DECIDERS) {
    const why = whyNot(who, decision, { supportId: 's1', requestedBy });
    assert.equal(why === undefined, may, `${who.kind} ${who.id} ${who.role} ${decision}, entered by ${requestedBy.id}: ${why}`);
  }
});
