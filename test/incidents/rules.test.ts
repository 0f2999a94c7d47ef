import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { cleanEvent } from '../../src/incidents/event.ts';
import { type Incident, incidentId, isAtLeast, readIncidentNumber, STATES, type State } from '../../src/incidents/incident.ts';
import { ended, isReminderDue, repeated } from '../../src/incidents/judge.ts';
import { mayMove, TARGETS, type Target } from '../../src/incidents/lifecycle.ts';
import { GIVE_UP_AFTER_MS, nextTryAt } from '../../src/incidents/next-try.ts';
import { EMPTY_TALLY, tallied } from '../../src/incidents/threshold.ts';
import { HOUR, KEY_TAKEN, MINUTE, START } from './rig.ts';

const MAY: Readonly<Record<State, readonly Target[]>> = {
  detected: ['assessed', 'contained', 'closed'],
  assessed: ['contained', 'closed'],
  contained: ['closed'],
  closed: [],
};

describe('the states of an incident', () => {
  for (const from of STATES) {
    for (const to of TARGETS) {
      const may = MAY[from].includes(to);
      test(`${from} → ${to} is ${may ? 'allowed' : 'refused, and said why'}`, () => {
        const move = mayMove(from, to);
        assert.equal(move.may, may);
        if (!move.may) assert.match(move.why, /^It is .+\./);
      });
    }
  }
});

const OPEN: Incident = {
  id: 'INC-0001',
  source: 'relay',
  kind: 'data-lost',
  subject: 'Performance',
  severity: 'warn',
  state: 'detected',
  stateSince: START,
  detail: 'first',
  count: 1,
  firstCount: 1,
  firstAt: START,
  lastAt: START,
  toldAt: START,
};

describe('a repeat', () => {
  const later = START + HOUR;
  const event = (more: object = {}) => cleanEvent({ ...OPEN, detail: 'again', severity: 'warn', ...more } as never) ?? assert.fail('no event');

  const cases: readonly [name: string, before: object, event: object, why: RegExp | undefined][] = [
    ['adds to the count and tells nobody', {}, {}, undefined],
    ['of less severity tells nobody', {}, { severity: 'info' }, undefined],
    ['of more severity is told', {}, { severity: 'error' }, /rose from warn to error/],
    ['to 9 is not told', { count: 8 }, {}, undefined],
    ['to 10 is told', { count: 9 }, {}, /10 times as often/],
    ['to 11 is not told', { count: 10 }, {}, undefined],
    ['that jumps over 10 and 100 is told once, with the larger', { count: 9 }, { count: 200 }, /209 times, 100 times as often/],
    ['to 1,000 is told', { count: 999 }, {}, /1000 times as often/],
    ['beyond 1,000 is not told any more', { count: 9_999 }, {}, undefined],
    ['to 10 of what began with 20 is not told', { count: 20, firstCount: 20 }, {}, undefined],
    ['to 200 of what began with 20 is told', { count: 199, firstCount: 20 }, {}, /10 times as often/],
    ['after it was assessed tells nobody', { state: 'assessed' }, {}, undefined],
    ['after it was contained is told', { state: 'contained', stateSince: START + 1 }, {}, /came back after it was contained/],
    ['once more after that is not', { state: 'contained', stateSince: START - 1 }, {}, undefined],
    [
      'after it was contained, of what people heard a minute ago, is not told',
      { state: 'contained', stateSince: later, toldAt: later - MINUTE },
      {},
      undefined,
    ],
  ];
  for (const [name, before, more, why] of cases) {
    test(name, () => {
      const given = { ...OPEN, ...before };
      const found = repeated(given, event(more), later);
      assert.equal(found.incident.count, given.count + event(more).count);
      assert.equal(found.incident.lastAt, later);
      assert.equal(found.incident.detail, 'again');
      assert.equal(found.incident.state, given.state);
      assert.ok(isAtLeast(found.incident.severity, given.severity), 'it never becomes less');
      if (why) assert.match(found.why ?? '', why);
      else assert.equal(found.why, undefined);
    });
  }
});

test('the end of the cause contains an incident once, and once more when it had come back', () => {
  assert.deepEqual(ended(OPEN, START + 1), { incident: { ...OPEN, state: 'contained', stateSince: START + 1 }, isFirst: true });
  const contained: Incident = { ...OPEN, state: 'contained', stateSince: START + 1 };
  assert.equal(ended(contained, START + 2), undefined);
  assert.equal(ended({ ...contained, lastAt: START + 2 }, START + 3)?.isFirst, false);
});

test('a reminder is due only while nobody has assessed it, after the whole time, and when people know of it', () => {
  const due = (incident: object, now: number) => isReminderDue({ ...OPEN, ...incident }, now, 4 * HOUR);
  assert.equal(due({}, START + 4 * HOUR - 1), false);
  assert.equal(due({}, START + 4 * HOUR), true);
  assert.equal(due({ toldAt: undefined }, START + 400 * HOUR), false);
  for (const state of ['assessed', 'contained', 'closed']) assert.equal(due({ state }, START + 400 * HOUR), false, state);
});

describe('a threshold', () => {
  const rule = { count: 20, withinMs: 10 * MINUTE };
  const run = (counts: readonly (readonly [at: number, count: number])[]) =>
    counts.reduce((before, [at, count]) => tallied(before.tally, START + at, count, rule), { tally: EMPTY_TALLY, total: 0, isReached: false });

  const cases: readonly [name: string, counts: readonly (readonly [number, number])[], total: number, isReached: boolean][] = [
    ['is not reached by 19', [[0, 19]], 19, false],
    ['is reached by 20 at once', [[0, 20]], 20, true],
    ['is reached by 20 over nine minutes', Array.from({ length: 20 }, (_, at) => [at * 27_000, 1] as const), 20, true],
    ['is not reached by one a minute for an hour', Array.from({ length: 60 }, (_, at) => [at * MINUTE, 1] as const), 10, false],
    [
      'forgets what is older than ten minutes',
      [
        [0, 19],
        [10 * MINUTE, 1],
      ],
      1,
      false,
    ],
    [
      'begins anew when the clock was set back',
      [
        [HOUR, 19],
        [0, 1],
      ],
      1,
      false,
    ],
  ];
  for (const [name, counts, total, isReached] of cases) {
    test(name, () => {
      const found = run(counts);
      assert.deepEqual([found.total, found.isReached], [total, isReached]);
      assert.ok(found.tally.spans.length <= 11, 'what is remembered is bounded');
    });
  }
});

test('tries come after ever longer waits, for a day', () => {
  let [now, attempts] = [START, 0];
  const waits: number[] = [];
  for (;;) {
    attempts += 1;
    const at = nextTryAt({ createdAt: START, attempts, now });
    if (at === undefined) break;
    waits.push(at - now);
    now = at;
  }
  assert.deepEqual(waits.slice(0, 7), [30_000, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 15 * MINUTE]);
  assert.ok(now - START <= GIVE_UP_AFTER_MS && now - START > GIVE_UP_AFTER_MS - 15 * MINUTE);
  assert.ok(attempts > 90 && attempts < 110);
});

test('an incident is named so that people can say and type it', () => {
  for (const [number, id] of [
    [1, 'INC-0001'],
    [7_000, 'INC-7000'],
    [123_456, 'INC-123456'],
  ] as const)
    assert.equal(incidentId(number), id);
  for (const [text, number] of [
    ['INC-0007', 7],
    [' inc-7 ', 7],
    ['7', 7],
    ['inc0007', 7],
    ['0', undefined],
    ['INC-', undefined],
    ['7a', undefined],
    ['9'.repeat(20), undefined],
  ] as const)
    assert.equal(readIncidentNumber(text), number, text);
});

test('what is reported is bounded, on one line, and without what looks like a secret', () => {
  const clean = cleanEvent({
    ...KEY_TAKEN,
    subject: `a\u0000\r\nSubject: x\u202e${'y'.repeat(999)}`,
    detail: 'Authorization: Bearer abcdef0123456789\n' + '\ud800',
    actor: '',
  });
  assert.ok(clean);
  assert.equal(clean.subject.length, 200);
  assert.match(clean.subject, /^a Subject: x y+$/);
  assert.equal(clean.detail, 'Authorization: Bearer [secret] \ufffd');
  assert.deepEqual([clean.actor, clean.count, clean.severity, clean.isOver], ['system', 1, 'error', false]);
});

test('what is no report is taken for none, whatever it is', () => {
  const nothing = [
    undefined,
    null,
    5,
    'x',
    {},
    [],
    { ...KEY_TAKEN, source: 'elsewhere' },
    { ...KEY_TAKEN, source: 'workspace x' },
    { ...KEY_TAKEN, kind: 'toString' },
  ];
  for (const found of nothing) assert.equal(cleanEvent(found as never), undefined, JSON.stringify(found));
  for (const count of [0, -1, Number.NaN, '5', null, 1.9]) assert.equal(cleanEvent({ ...KEY_TAKEN, count: count as never })?.count, 1);
  assert.equal(cleanEvent({ ...KEY_TAKEN, count: Number.MAX_VALUE })?.count, 1_000_000_000);
});
