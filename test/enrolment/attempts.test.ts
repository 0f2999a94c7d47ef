import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createAttempts, networkOf } from '../../src/enrolment/attempts.ts';
import { createManualClock } from '../support/manual-clock.ts';

describe('createAttempts', () => {
  it('listens again when the minute is over that began with the first attempt', () => {
    const clock = createManualClock();
    const attempts = createAttempts({ now: clock.now, perMinute: 100, badPerMinute: 2 });
    attempts.failed('192.0.2.1');
    clock.advance(20_000);
    assert.equal(attempts.begin('192.0.2.1'), 0);
    attempts.failed('192.0.2.1');
    assert.equal(attempts.begin('192.0.2.1'), 40);
    assert.equal(attempts.begin('192.0.2.2'), 0, 'another address');
    clock.advance(39_999);
    assert.equal(attempts.begin('192.0.2.1'), 1);
    clock.advance(1);
    assert.equal(attempts.begin('192.0.2.1'), 0);
  });

  it('counts good attempts too', () => {
    const clock = createManualClock();
    const attempts = createAttempts({ now: clock.now, perMinute: 2, badPerMinute: 2 });
    assert.deepEqual(
      [1, 2, 3, 4].map(() => attempts.begin('192.0.2.1')),
      [0, 0, 60, 60],
    );
    clock.advance(60_000);
    assert.equal(attempts.begin('192.0.2.1'), 0);
  });

  it('listens again when the clock was set back', () => {
    const clock = createManualClock();
    const attempts = createAttempts({ now: clock.now, perMinute: 100, badPerMinute: 1 });
    attempts.failed('192.0.2.1');
    clock.advance(-3_600_000);
    assert.equal(attempts.begin('192.0.2.1'), 0);
  });

  it('forgets the address that was quiet the longest, and no other', () => {
    const clock = createManualClock();
    const attempts = createAttempts({ now: clock.now, perMinute: 100, badPerMinute: 1, maxAddresses: 3 });
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.1', '192.0.2.4']) attempts.failed(address);
    assert.equal(attempts.size(), 3);
    assert.deepEqual(
      ['192.0.2.1', '192.0.2.3', '192.0.2.4', '192.0.2.2'].map((address) => attempts.begin(address) > 0),
      [true, true, true, false],
    );
  });
});

const NETWORKS = [
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0001:0002::1', '2001:db8:1:2::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['', ''],
] as const;

describe('networkOf', () => {
  for (const [address, network] of NETWORKS) it(`is ${network} for ${address}`, () => assert.equal(networkOf(address), network));
});
