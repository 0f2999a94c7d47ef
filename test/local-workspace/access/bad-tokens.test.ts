import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBadTokens, placeOf } from '../../../src/local-workspace/access/bad-tokens.ts';
import { MINUTE } from './rig.ts';

const PLACES = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0DB8:0001:0002::7', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['', ''],
] as const;

test('an address counts as the place that one sender has', () => {
  for (const [address, place] of PLACES) assert.equal(placeOf(address), place, address);
});

test('the limit counts each minute anew, also when the clock is set back', () => {
  const bad = createBadTokens();
  const limitedAt = (now: number): boolean => bad.note('2001:db8::1', now).limited;
  for (let times = 0; times < 20; times += 1) assert.equal(limitedAt(MINUTE), false);
  assert.equal(bad.note('2001:db8::2', MINUTE).limited, true);
  assert.equal(limitedAt(2 * MINUTE - 1), true);
  assert.equal(limitedAt(2 * MINUTE), false);
  assert.equal(limitedAt(0), false);
});

test('the addresses that are remembered are bounded: the oldest gives way', () => {
  const bad = createBadTokens();
  for (let times = 0; times < 21; times += 1) bad.note('192.0.2.1', 0);
  assert.equal(bad.note('192.0.2.1', 1).limited, true);
  for (let other = 0; other < 10_000; other += 1) bad.note(`10.0.${other >> 8}.${other & 255}`, 2);
  assert.equal(bad.note('192.0.2.1', 3).limited, false);
});
