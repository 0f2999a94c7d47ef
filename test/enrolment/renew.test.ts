import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRenewalDue } from '../../src/enrolment/renew.ts';

const DAY_MS = 86_400_000;
const START = Date.UTC(2026, 0, 1);

describe('isRenewalDue', () => {
  const cases = [
    { what: "a year's certificate", days: 365, lifeDays: 90, dueAfterDays: 60 },
    { what: 'one of 90 days', days: 90, lifeDays: 90, dueAfterDays: 60 },
    { what: 'a shorter one', days: 30, lifeDays: 90, dueAfterDays: 20 },
  ];
  for (const { what, days, lifeDays, dueAfterDays } of cases) {
    it(`asks for ${what} at two thirds of the shorter life`, () => {
      const due = (afterMs: number): boolean => isRenewalDue({ notBefore: START, notAfter: START + days * DAY_MS }, START + afterMs, lifeDays * DAY_MS);
      assert.equal(due(dueAfterDays * DAY_MS - 1), false);
      assert.equal(due(dueAfterDays * DAY_MS), true);
    });
  }

  it('never asks by a certificate that was just made', () => {
    assert.equal(isRenewalDue({ notBefore: START, notAfter: START + 60_000 }, START, 60_000), false);
  });
});
