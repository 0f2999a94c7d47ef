import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retentionSettings } from '../../../src/local-workspace/retention/retention-settings.ts';

test('settings have the defaults of the service', () => {
  assert.deepEqual(retentionSettings.parse({}), { plan: 'paid', hotDays: 14, graceDays: 30 });
});

test('settings out of their bounds are refused', () => {
  for (const [settings, words] of [
    [{ days: 3 }, /expected number to be >=4/],
    [{ days: 731 }, /expected number to be <=730/],
    [{ days: 30.5 }, /expected int/],
    [{ plan: 'free', days: 31 }, /must be left out with plan .{1,2}free.{1,2}, which keeps all tables 7 days/],
    [{ plan: 'gold' }, /Invalid option/],
    [{ graceDays: -1 }, /expected number to be >=0/],
    [{ day: 31 }, /Unrecognized key/],
  ] as const) {
    assert.match(String(retentionSettings.safeParse(settings).error), words, JSON.stringify(settings));
  }
});
