import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { BEGINNING, type Expected, type Judgement, judge, type Look } from '../../src/upgrade/health-rule.ts';

const EXPECTED: Expected = { version: '0.2.0', reasonsBefore: [], withinMs: 120_000, steadyMs: 10_000 };
const WELL = { isActive: true, failedStarts: 0, status: { version: '0.2.0', pid: 7, reasons: [] } } as const;

/** Judges one look after another, until there is a verdict; the last judgement. */
function course(looks: readonly Look[], expected = EXPECTED): Judgement {
  let judgement: Judgement = { verdict: 'waiting', course: BEGINNING, why: '' };
  for (const look of looks) {
    if (judgement.verdict !== 'waiting') break;
    judgement = judge(expected, look, judgement.course);
  }
  return judgement;
}

describe('one look', () => {
  const cases: readonly [string, Partial<Look>, Partial<Expected>, RegExp][] = [
    ['waits for a service that does not run yet', { isActive: false }, {}, /service does not run/],
    ['waits for an answer', { status: undefined }, {}, /does not answer/],
    ['is not taken in by the old release', { status: { ...WELL.status, version: '0.1.0' } }, {}, /release that answers is 0\.1\.0/],
    ['does not take a release for well that takes no data', { status: { ...WELL.status, reasons: ['No Redis.'] } }, {}, /no data.*No Redis\./],
    [
      'holds a reason against it that was not there before, beside one that was',
      { status: { ...WELL.status, reasons: ['Redis uses 85 % of its maxmemory; raise it.', 'No disk.'] } },
      { reasonsBefore: ['Redis uses 83 % of its maxmemory; raise it.'] },
      /not there before: No disk\.$/,
    ],
    [
      'does not blame it for a reason that was there before, whatever its figures',
      { status: { ...WELL.status, reasons: ['Redis uses 85 % of its maxmemory; raise it.'] } },
      { reasonsBefore: ['Redis uses 83 % of its maxmemory; raise it.'] },
      /well, and must stay so/,
    ],
    ['wants it to stay well', {}, {}, /well, and must stay so/],
  ];
  for (const [what, look, expected, why] of cases) {
    it(what, () => {
      const judgement = judge({ ...EXPECTED, ...expected }, { atMs: 1_000, ...WELL, ...look }, BEGINNING);
      assert.equal(judgement.verdict, 'waiting');
      assert.match(judgement.why, why);
    });
  }
});

test('a release is well when the same process has been well for long enough', () => {
  assert.equal(
    course([
      { ...WELL, atMs: 1_000 },
      { ...WELL, atMs: 10_999 },
    ]).verdict,
    'waiting',
  );
  assert.equal(
    course([
      { ...WELL, atMs: 1_000 },
      { ...WELL, atMs: 11_000 },
    ]).verdict,
    'well',
  );
});

test('another process, or a moment in which it was not well, begins the time anew', () => {
  const other = { ...WELL, status: { ...WELL.status, pid: 8 } };
  assert.equal(
    course([
      { ...WELL, atMs: 1_000 },
      { ...other, atMs: 11_000 },
      { ...other, atMs: 20_999 },
    ]).verdict,
    'waiting',
  );
  assert.equal(
    course([
      { ...WELL, atMs: 1_000 },
      { ...WELL, atMs: 5_000, isActive: false },
      { ...WELL, atMs: 11_000 },
    ]).verdict,
    'waiting',
  );
});

test('two minutes are the end, but not for one that has just become well', () => {
  assert.equal(course([{ ...WELL, atMs: 119_999, status: undefined }]).verdict, 'waiting');
  assert.equal(course([{ ...WELL, atMs: 120_000, status: undefined }]).verdict, 'unwell');
  assert.equal(
    course([
      { ...WELL, atMs: 119_000 },
      { ...WELL, atMs: 129_000 },
    ]).verdict,
    'well',
  );
  assert.equal(
    course([
      { ...WELL, atMs: 119_000 },
      { ...WELL, atMs: 121_000, isActive: false },
    ]).verdict,
    'unwell',
  );
});

test('a loop of starts is not waited for', () => {
  assert.equal(course([{ ...WELL, atMs: 3_000, isActive: false, status: undefined, failedStarts: 3 }]).verdict, 'unwell');
  const lives = [7, 8, 9].map((pid, at): Look => ({ ...WELL, atMs: at * 5_000, status: { ...WELL.status, pid } }));
  assert.deepEqual([course(lives.slice(0, 2)).verdict, course(lives).verdict], ['waiting', 'unwell']);
});
