import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Change,
  effectiveRetention,
  type LockedTime,
  policyAt,
  retentionByTable,
  takesEffectAt,
} from '../../../src/local-workspace/retention/retention-policy.ts';
import { type InForce, isShorter, type Setting } from '../../../src/local-workspace/retention/retention-rule.ts';
import { pastRetention } from '../../../src/local-workspace/tables/trim.ts';
import { DAY_MS, OWNER, segmentOf } from './rig.ts';

const at = (text: string): number => Date.parse(text);

function change(setting: Setting, requested: string, graceDays = 0, more: Partial<Change> = {}): Change {
  const requestedAt = at(requested);
  return { setting, source: 'order', isTakeBack: false, requestedAt, effectiveAt: requestedAt + graceDays * DAY_MS, by: OWNER, ...more };
}

const workspace = (days: number): Setting => ({ target: 'default', days });
const syslog = (days: number | undefined): Setting => ({ target: 'table', table: 'Syslog', days });
const plan = (name: 'free' | 'paid'): Setting => ({ target: 'plan', plan: name });

test('a table is kept as what is set for it says, else as the workspace, and the plan "free" knows 7 days only', () => {
  const cases: readonly [why: string, changes: readonly Change[], table: string, now: string, days: number][] = [
    ['nothing was ever set', [], 'Syslog', '2026-01-01', 31],
    ['the workspace was set', [change(workspace(90), '2026-01-01')], 'Syslog', '2026-01-01', 90],
    ['the table was set', [change(workspace(90), '2026-01-01'), change(syslog(365), '2026-01-02')], 'Syslog', '2026-01-02', 365],
    ['another table was set', [change(workspace(90), '2026-01-01'), change(syslog(365), '2026-01-02')], 'Event', '2026-01-02', 90],
    ['it follows again', [change(syslog(365), '2026-01-01'), change(syslog(undefined), '2026-01-02')], 'Syslog', '2026-01-02', 31],
    ['the plan is free', [change(syslog(365), '2026-01-01'), change(plan('free'), '2026-01-02')], 'Syslog', '2026-01-02', 7],
    ['a table has a name that objects have', [change(workspace(90), '2026-01-01')], 'constructor', '2026-01-01', 90],
  ];
  for (const [why, changes, table, now, days] of cases) assert.equal(effectiveRetention(table, { changes, locks: [] }, at(now)), days, why);
});

test('a shortening takes effect when its grace is over, to the millisecond, and over a leap day as over others', () => {
  const shorter = change(syslog(30), '2028-02-01T10:00:00Z', 30);
  const policy = { changes: [change(syslog(90), '2028-01-01'), shorter], locks: [] };
  assert.equal(new Date(shorter.effectiveAt).toISOString(), '2028-03-02T10:00:00.000Z');
  const cases: readonly [now: string, days: number][] = [
    ['2028-02-01T10:00:00.000Z', 90],
    ['2028-02-29T23:59:59.999Z', 90],
    ['2028-03-02T09:59:59.999Z', 90],
    ['2028-03-02T10:00:00.000Z', 30],
    ['2031-01-01T00:00:00.000Z', 30],
  ];
  for (const [now, days] of cases) assert.equal(effectiveRetention('Syslog', policy, at(now)), days, now);
});

test('a row of a day goes when the day has been over for so many days: months, years and leap days make no difference', () => {
  const cases: readonly [day: string, days: number, goesAt: string][] = [
    ['2026-11-28', 4, '2026-12-03T00:00:00Z'],
    ['2026-12-30', 31, '2027-01-31T00:00:00Z'],
    ['2028-02-28', 4, '2028-03-04T00:00:00Z'],
    ['2028-02-29', 365, '2029-03-01T00:00:00Z'],
    ['2027-02-28', 4, '2027-03-05T00:00:00Z'],
    ['2026-01-01', 730, '2028-01-02T00:00:00Z'],
  ];
  for (const [day, days, goesAt] of cases) {
    const policy = { changes: [change(workspace(days), '2020-01-01')], locks: [] };
    const goes = (now: number): number => pastRetention([segmentOf('Syslog', day)], (table) => effectiveRetention(table, policy, now), now).length;
    assert.deepEqual([goes(at(goesAt) - 1), goes(at(goesAt))], [0, 1], `${day} kept ${days} days`);
  }
});

test('a change takes the place of one of the same target that waits, and leaves those of others', () => {
  const begin = [change(workspace(90), '2026-01-01'), change(syslog(200), '2026-01-01')];
  const cases: readonly [why: string, changes: readonly Change[], now: string, syslogDays: number, eventDays: number][] = [
    ['a longer one', [change(syslog(60), '2026-02-01', 30), change(syslog(300), '2026-02-02')], '2026-06-01', 300, 90],
    ['one as it was', [change(syslog(60), '2026-02-01', 30), change(syslog(200), '2026-02-02')], '2026-06-01', 200, 90],
    ['another shortening: the grace begins anew', [change(syslog(60), '2026-02-01', 30), change(syslog(70), '2026-02-20', 30)], '2026-03-10', 200, 90],
    ['of the workspace', [change(syslog(60), '2026-02-01', 30), change(workspace(40), '2026-02-02', 30)], '2026-06-01', 60, 40],
    ['it is too late to take the place', [change(syslog(60), '2026-02-01', 30), change(syslog(50), '2026-03-20', 30)], '2026-04-01', 60, 90],
    ['taken back', [change(syslog(60), '2026-02-01', 30), change(syslog(60), '2026-02-02', 0, { isTakeBack: true })], '2026-06-01', 200, 90],
    ['taken back too late', [change(syslog(60), '2026-02-01', 30), change(syslog(60), '2026-03-20', 0, { isTakeBack: true })], '2026-06-01', 60, 90],
  ];
  for (const [why, more, now, syslogDays, eventDays] of cases) {
    const policy = { changes: [...begin, ...more], locks: [] };
    assert.deepEqual([effectiveRetention('Syslog', policy, at(now)), effectiveRetention('Event', policy, at(now))], [syslogDays, eventDays], why);
  }
});

test('while a change of plan waits each table is kept for the longer of the two', () => {
  const changes = [change(workspace(4), '2026-01-01'), change(syslog(90), '2026-01-01'), change(plan('free'), '2026-02-01', 30)];
  const days = (now: string): number[] => ['Syslog', 'Event'].map((table) => effectiveRetention(table, { changes, locks: [] }, at(now)));
  assert.deepEqual(
    [days('2026-02-01'), days('2026-03-03')],
    [
      [90, 7],
      [7, 7],
    ],
  );
});

test('no shortening takes effect while a lock is in force: it waits for the end of the grace and of the lock', () => {
  const locked = (...spans: readonly [string, string?][]): LockedTime[] =>
    spans.map(([from, to]) => ({ from: at(from), to: to === undefined ? undefined : at(to) }));
  const cases: readonly [why: string, locks: readonly LockedTime[], takesEffect: string | undefined][] = [
    ['no lock', [], '2026-03-03'],
    ['a lock that ended before', locked(['2026-02-02', '2026-03-02']), '2026-03-03'],
    ['a lock that ended in the same moment', locked(['2026-02-02', '2026-03-03']), '2026-03-03'],
    ['a lock that was on then', locked(['2026-02-02', '2026-05-01']), '2026-05-01'],
    ['a lock that is on', locked(['2026-02-02']), undefined],
    ['a lock set after it took effect', locked(['2026-03-04']), '2026-03-03'],
    ['two locks with a gap', locked(['2026-02-02', '2026-04-01'], ['2026-04-02', '2026-05-01']), '2026-04-01'],
    ['the second lock was on then', locked(['2026-02-02', '2026-02-10'], ['2026-03-01', '2026-05-01']), '2026-05-01'],
  ];
  for (const [why, locks, expected] of cases) {
    const found = takesEffectAt(at('2026-03-03'), locks);
    assert.equal(found, expected === undefined ? Number.POSITIVE_INFINITY : at(expected), why);
    const policy = { changes: [change(syslog(90), '2026-01-01'), change(syslog(60), '2026-02-01', 30)], locks };
    if (expected) assert.deepEqual([effectiveRetention('Syslog', policy, found - 1), effectiveRetention('Syslog', policy, found)], [90, 60], why);
    else assert.equal(effectiveRetention('Syslog', policy, at('2036-01-01')), 90, why);
  }
});

test('a lengthening stays in effect when the clock is set back behind it', () => {
  const changes = [change(workspace(31), '2026-01-01'), change(workspace(365), '2026-06-01')];
  assert.equal(effectiveRetention('Syslog', { changes, locks: [] }, at('2026-05-01')), 365);
});

test('what waits is told with the time when it takes effect', () => {
  const { pending } = policyAt(
    { changes: [change(syslog(90), '2026-01-01'), change(syslog(60), '2026-02-01', 30)], locks: [{ from: at('2026-02-02') }] },
    at('2026-04-01'),
  );
  assert.deepEqual(
    pending.map(({ setting, takesEffectAt: effect }) => [setting, effect]),
    [[syslog(60), Number.POSITIVE_INFINITY]],
  );
});

test('trimming is given the tables that may differ from the rest, those that wait to follow it too', () => {
  const changes = [change(workspace(60), '2026-01-01'), change(syslog(90), '2026-01-01'), change(syslog(undefined), '2026-02-01', 30)];
  assert.deepEqual(retentionByTable({ changes, locks: [] }, at('2026-02-02')), { retention: { Syslog: 90 }, otherwise: 60 });
  assert.deepEqual(retentionByTable({ changes, locks: [] }, at('2026-04-02')), { retention: {}, otherwise: 60 });
});

test('a change is shorter when it is so for any table', () => {
  const inForce = (days: number, tables: Record<string, number> = {}, name: 'free' | 'paid' = 'paid'): InForce => ({
    plan: name,
    days,
    tables: new Map(Object.entries(tables)),
  });
  const cases: readonly [before: InForce, after: InForce, shorter: boolean][] = [
    [inForce(31), inForce(31), false],
    [inForce(31), inForce(30), true],
    [inForce(31), inForce(32), false],
    [inForce(31), inForce(31, { A: 30 }), true],
    [inForce(31, { A: 90 }), inForce(31), true],
    [inForce(31, { A: 20 }), inForce(31), false],
    [inForce(31, { A: 90 }), inForce(40, { A: 89 }), true],
    [inForce(4), inForce(4, {}, 'free'), false],
    [inForce(4, { A: 8 }), inForce(4, { A: 8 }, 'free'), true],
    [inForce(4, {}, 'free'), inForce(4), true],
  ];
  for (const [before, after, shorter] of cases) assert.equal(isShorter(before, after), shorter);
});
