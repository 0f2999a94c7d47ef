import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatDuration, formatSize, readDuration, readSize } from '../../src/units.ts';

describe('durations', () => {
  const good: [string, number][] = [
    ['0s', 0],
    ['500ms', 500],
    ['75s', 75_000],
    ['8m', 480_000],
    ['1h30m', 5_400_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1d2h3m4s5ms', 93_784_005],
  ];
  for (const [text, ms] of good) {
    it(`reads ${text} as ${ms} milliseconds`, () => assert.equal(readDuration(text), ms));
  }
  for (const text of ['', '8', '8 m', 'm', '-8m', '1.5h', '30m1h', '1m1m', '8M', '2w', '8m ', '1e3s', '12345678h', '1'.repeat(400)]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => assert.equal(readDuration(text), undefined));
  }
  it('writes what it reads to the same value', () => {
    for (const [, ms] of good) assert.equal(readDuration(formatDuration(ms)), ms);
    assert.equal(formatDuration(5_400_000), '1h30m');
    assert.equal(formatDuration(0), '0s');
  });
});

describe('sizes', () => {
  const good: [string, number][] = [
    ['0', 0],
    ['4096', 4096],
    ['100B', 100],
    ['512KB', 512_000],
    ['16MiB', 16 * 2 ** 20],
    ['20GB', 20e9],
    ['1GiB', 2 ** 30],
    ['3TiB', 3 * 2 ** 40],
    ['1PiB', 2 ** 50],
  ];
  for (const [text, bytes] of good) {
    it(`reads ${text} as ${bytes} bytes`, () => assert.equal(readSize(text), bytes));
  }
  for (const text of ['', 'MiB', '12 parsecs', '1 GiB', '1.5GiB', '-1', '16mib', '1EiB', '9007199254740993', '9999999PiB']) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(readSize(text), undefined));
  }
  it('writes what it reads to the same value', () => {
    for (const [, bytes] of good) assert.equal(readSize(formatSize(bytes)), bytes);
    assert.equal(formatSize(16 * 2 ** 20), '16MiB');
    assert.equal(formatSize(1001), '1001B');
  });
});
