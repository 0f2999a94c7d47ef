import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRelayChoice, isRelayInTrouble, type RelayChoice, relaysToTry } from '../../src/agent/relay-choice.ts';
import { createManualClock, type ManualClock } from '../support/manual-clock.ts';

const [A, B, C] = ['https://a.example.org', 'https://b.example.org', 'https://c.example.org'] as const;
const MINUTE_MS = 60_000;

function choiceOf(chance = 0): { readonly choice: RelayChoice; readonly clock: ManualClock } {
  const clock = createManualClock();
  return { choice: createRelayChoice([A, B, C], { chance: () => chance, now: clock.now }), clock };
}

function failTwice(choice: RelayChoice, relay: string): boolean {
  choice.failed(relay);
  return choice.failed(relay);
}

describe('the relay that an agent uses', () => {
  it('is the preferred one until that fails twice in a row', () => {
    const { choice } = choiceOf();
    assert.deepEqual([choice.failed(A), choice.current()], [false, A]);
    choice.answered(A);
    assert.deepEqual([choice.failed(A), choice.current()], [false, A], 'an answer in between makes it the first failure again');
    assert.deepEqual([choice.failed(A), choice.current()], [true, B]);
  });

  it('is the next one, then the one after, then the first again', () => {
    const { choice } = choiceOf();
    for (const [from, to] of [
      [A, B],
      [B, C],
      [C, A],
    ] as const) {
      assert.equal(failTwice(choice, from), true);
      assert.equal(choice.current(), to);
    }
  });

  it('is not left for late failures of the one before', () => {
    const { choice } = choiceOf();
    failTwice(choice, A);
    assert.equal(failTwice(choice, A), false);
    assert.equal(choice.current(), B);
  });

  it('stays the only one where there is no other', () => {
    const choice = createRelayChoice([A], { chance: () => 0, now: () => 0 });
    assert.equal(failTwice(choice, A), false);
    assert.equal(choice.current(), A);
  });

  it('stays, and after minutes the preferred one is asked, once in a while only', () => {
    const { choice, clock } = choiceOf();
    assert.equal(choice.toAskAgain(), undefined);
    failTwice(choice, A);
    clock.advance(5 * MINUTE_MS - 1);
    assert.equal(choice.toAskAgain(), undefined);
    clock.advance(1);
    assert.equal(choice.toAskAgain(), A);
    assert.deepEqual([choice.toAskAgain(), choice.current()], [undefined, B], 'being asked does not mean being used');
    clock.advance(5 * MINUTE_MS);
    assert.equal(choice.toAskAgain(), A);
    choice.goBack();
    clock.advance(60 * MINUTE_MS);
    assert.deepEqual([choice.current(), choice.toAskAgain()], [A, undefined]);
  });

  it('is asked for again later by chance, so that a site does not come back in one moment', () => {
    const { choice, clock } = choiceOf(1);
    failTwice(choice, A);
    clock.advance(7.5 * MINUTE_MS - 1);
    assert.equal(choice.toAskAgain(), undefined);
    clock.advance(1);
    assert.equal(choice.toAskAgain(), A);
  });

  it('stays when others are named that include it, and is left when they do not', () => {
    const { choice } = choiceOf();
    failTwice(choice, A);
    assert.deepEqual([choice.use([A, B]), choice.current()], [false, B]);
    assert.deepEqual([choice.use([A, C]), choice.current()], [true, A]);
    assert.deepEqual([choice.use([]), choice.current()], [false, A], 'nobody named is nobody to go to');
  });
});

describe('the relays that an agent tries', () => {
  const cases: readonly [string, Parameters<typeof relaysToTry>, readonly string[]][] = [
    ['the only one it knows', [{ relay: A }, undefined], [A]],
    ['those given at enrolment, before any relay has named some', [{ relay: A, relays: [B] }, undefined], [A, B]],
    ['its own first, whichever relay has named them', [{ relay: A }, [B, A, C]], [A, B, C]],
    [
      'the named ones first where its own is another name for one of them',
      [{ relay: 'https://relays.example.org' }, [B, A]],
      [B, A, 'https://relays.example.org'],
    ],
    ['the one in use, when a relay names none any more', [{ relay: A }, undefined, B], [A, B]],
  ];
  for (const [what, given, wanted] of cases) it(`are ${what}`, () => assert.deepEqual(relaysToTry(...given), wanted));
});

describe('an answer', () => {
  const answer = (status: number, code = '') => ({ status, retryAfter: '480', text: code === '' ? '' : JSON.stringify({ error: { code, message: 'why' } }) });

  it('says that a relay is in trouble when it does not come, or tells of a fault or of no room', () => {
    for (const one of [
      undefined,
      answer(500, 'relay.internal'),
      answer(502),
      answer(503),
      answer(504),
      answer(503, 'relay.cache.full'),
      answer(503, 'relay.cache.unavailable'),
    ])
      assert.equal(isRelayInTrouble(one), true, JSON.stringify(one));
  });

  it('is no reason to go when another relay would answer the same', () => {
    for (const one of [
      answer(200),
      answer(304),
      answer(403, 'relay.agent.suspended'),
      answer(413),
      answer(429),
      answer(503, 'relay.cache.held'),
      answer(503, 'relay.group.primary-away'),
    ])
      assert.equal(isRelayInTrouble(one), false, JSON.stringify(one));
  });
});
