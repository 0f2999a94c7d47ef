import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digits, roughDuration, roughSize } from '../src/rough.ts';

describe('figures for people', () => {
  it('gives durations in their two largest units', () => {
    const cases: readonly (readonly [number, string])[] = [
      [-5, '0s'],
      [999, '0s'],
      [59_999, '59s'],
      [480_000, '8m'],
      [5_400_000, '1h 30m'],
      [7_200_500, '2h'],
      [93_600_000, '1d 2h'],
    ];
    for (const [ms, text] of cases) assert.equal(roughDuration(ms), text);
  });

  it('gives sizes in the unit that fits', () => {
    const cases: readonly (readonly [number, string])[] = [
      [0, '0 B'],
      [1_023, '1023 B'],
      [1_024, '1 KiB'],
      [1_610_612_736, '1.5 GiB'],
      [200_000_000, '191 MiB'],
      [2 ** 62, '4096 PiB'],
    ];
    for (const [bytes, text] of cases) assert.equal(roughSize(bytes), text);
  });

  it('gives rates with as many digits as say something', () => {
    assert.deepEqual([0, 0.254, 12.54, 1500.4].map(digits), ['0', '0.25', '12.5', '1500']);
  });
});
