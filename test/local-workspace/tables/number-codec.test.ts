import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeNumbers, encodeNumbers } from '../../../src/local-workspace/tables/number-codec.ts';
import { seeded } from '../../support/seeded.ts';

const NONE = Number.NaN;

function assertSame(values: Float64Array, what: string): Buffer {
  const bytes = encodeNumbers(values);
  const back = decodeNumbers(bytes, values.length);
  assert.equal(back.length, values.length, what);
  // -0 and 0 are told apart.
  const at = values.findIndex((value, place) => !Object.is(value, back[place]));
  assert.equal(at, -1, `${what}: row ${at} was ${values[at]}, is ${back[at]}`);
  return bytes;
}

test('numbers come back as they were', () => {
  const cases: [what: string, values: readonly number[]][] = [
    ['no rows', []],
    ['one row', [7]],
    ['none at all', [NONE, NONE, NONE]],
    ['holes between', [1, NONE, 3, NONE]],
    ['a hole first', [NONE, 5, 6]],
    ['holes in what does not fit two bytes', [0, NONE, 70_000]],
    ['holes in what does not fit four bytes', [0, NONE, 5_000_000_000]],
    ['a distance that would read as none, of one byte', [0, 254, 255, 256, NONE]],
    ['a distance that would read as none, of two bytes', [0, 65_534, 65_535, 65_536, NONE]],
    ['a distance that would read as none, of four bytes', [0, 4_294_967_294, 4_294_967_295, NONE]],
    ['negative ones', [-1, -300, -70_000, 12]],
    ['zero that is negative', [-0, 0, 1]],
    ['a decimal that rounds to a negative zero', [-0.00001, 1]],
    ['huge ones', [Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, -(2 ** 53), 2 ** 53 - 1]],
    ['both ends of whole numbers', [-(2 ** 53) + 1, 2 ** 53 - 1]],
    ['infinite ones', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, NONE]],
    ['few decimals', [0.5, 12.25, 99.9999, -3.1]],
    ['decimals that are not exact as binary fractions', [0.1, 0.2, 0.3, 1.005, 2.675]],
    ['many decimals', [Math.PI, Math.E, 0.123456789012]],
    ['decimals beside what is too large for their scale', [0.0001, 2 ** 52]],
    ['times that go up', Array.from({ length: 1_000 }, (_, at) => 1_772_625_600_000 + at * 173)],
    ['times that go up and down', [1_772_625_600_000, 1_772_625_500_000, 1_772_625_600_001]],
    ['steps at the edge of one byte', [1e12, 1e12 + 127, 1e12, 1e12 - 127 + 1e6, 1e12 - 128 + 1e6 - 127]],
    ['steps at the edge of four bytes', [0, 2 ** 31 - 1, 0, 2 ** 33, 2 ** 33 + 2 ** 31]],
    ['truth values', [0, 1, 1, NONE, 0]],
  ];
  for (const [what, values] of cases) assertSame(Float64Array.from(values), what);
});

test('any numbers come back as they were', () => {
  const random = seeded(20_260_304);
  const draws: ((at: number) => number)[] = [
    () => Math.floor(random() * 300) - 20,
    () => Math.floor(random() * 70_000),
    (at) => 1_772_625_600_000 + at * 1_000 + Math.floor(random() * 900),
    () => Math.floor(random() * 2 ** 33) - 2 ** 32,
    () => Math.round(random() * 1e7) / 10 ** Math.floor(random() * 6),
    () => random() * 2 ** 60 - 2 ** 59,
    () => (random() < 0.5 ? -0 : Number.POSITIVE_INFINITY),
  ];
  for (let round = 0; round < 400; round += 1) {
    const draw = draws[Math.floor(random() * draws.length)] as (at: number) => number;
    const holes = random() < 0.5 ? 0 : random();
    const mixed = random() < 0.1;
    const values = Float64Array.from({ length: Math.floor(random() * 400) }, (_, at) => {
      if (random() < holes) return NONE;
      return mixed ? (draws[Math.floor(random() * draws.length)] as (at: number) => number)(at) : draw(at);
    });
    assertSame(values, `round ${round}`);
  }
});

test('what is alike takes few bytes', () => {
  const times = Float64Array.from({ length: 100_000 }, (_, at) => 1_772_625_600_000 + at * 20);
  const percents = Float64Array.from({ length: 100_000 }, (_, at) => (at % 200) / 10);
  for (const [what, values] of [
    ['times', times],
    ['tenths of a percent', percents],
  ] as const) {
    assert.ok(assertSame(values, what).length < 100_100, what);
  }
});

test('bytes that do not fit the rows are refused', () => {
  const bytes = encodeNumbers(Float64Array.of(1, 2, 3));
  for (const length of [0, 1, 17, bytes.length - 1]) assert.throws(() => decodeNumbers(bytes.subarray(0, length), 3), RangeError, `${length} bytes`);
  for (const rows of [2, 4]) assert.throws(() => decodeNumbers(bytes, rows), RangeError, `${rows} rows`);
});
