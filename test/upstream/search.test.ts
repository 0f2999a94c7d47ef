import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Refused } from '../../src/batch/verdict.ts';
import { createSearch, MAX_REQUESTS, type RecordRange, type Search } from '../../src/upstream/search.ts';
import { seeded } from '../support/seeded.ts';

const BAD: Refused = { outcome: 'refused', status: 400, answer: 'bad' };
const TOO_LARGE: Refused = { outcome: 'refused', status: 413, answer: 'too large' };

type Judge = (range: RecordRange) => Refused | undefined;

/** Runs a search to its end; the records that were delivered, each as often as it was. */
function run(search: Search, judge: Judge): number[] {
  const delivered: number[] = [];
  for (let range = search.next(); range; range = search.next()) {
    assert.ok(range.from < range.to, JSON.stringify(range));
    const refusal = judge(range);
    if (refusal) search.refused(refusal);
    else {
      for (let at = range.from; at < range.to; at += 1) delivered.push(at);
      search.delivered();
    }
  }
  return delivered;
}

function refusing(bad: ReadonlySet<number>): Judge {
  return ({ from, to }) => ([...bad].some((one) => one >= from && one < to) ? BAD : undefined);
}

function refusedOf({ refusedRanges }: Search): number[] {
  return refusedRanges.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, at) => from + at));
}

function pick(count: number, records: number, chance: () => number): Set<number> {
  const picked = new Set<number>();
  while (picked.size < count) picked.add(Math.floor(chance() * records));
  return picked;
}

describe('a search for bad records', () => {
  it('delivers every good record once and refuses the bad ones alone', () => {
    const chance = seeded(7);
    for (let round = 0; round < 300; round += 1) {
      const records = 2 + Math.floor(chance() * 300);
      const bad = pick(1 + Math.floor(chance() * Math.min(10, records)), records, chance);
      const search = createSearch(records, BAD);
      const delivered = run(search, refusing(bad));
      assert.deepEqual(
        refusedOf(search),
        [...bad].sort((a, b) => a - b),
      );
      assert.deepEqual(
        delivered,
        Array.from({ length: records }, (_, at) => at).filter((at) => !bad.has(at)),
      );
      assert.equal(search.deliveredRecords(), records - bad.size);
    }
  });

  it('needs a few dozen requests for three bad records among ten thousand', () => {
    const chance = seeded(11);
    const requests: number[] = [];
    for (let round = 0; round < 200; round += 1) {
      const search = createSearch(10_000, BAD);
      run(search, refusing(pick(3, 10_000, chance)));
      requests.push(search.requests());
    }
    requests.sort((a, b) => a - b);
    assert.ok(Number(requests.at(-1)) <= 60, `at most ${requests.at(-1)}, in the middle ${requests[100]}`);
  });

  it('finds nothing wrong when a batch that was refused passes in parts', () => {
    const search = createSearch(1000, BAD);
    assert.equal(run(search, () => undefined).length, 1000);
    assert.deepEqual(search.refusedRanges, []);
  });

  it('makes parts of a size that is taken, when the batch was too large', () => {
    const search = createSearch(1000, TOO_LARGE);
    assert.equal(run(search, ({ from, to }) => (to - from > 130 ? TOO_LARGE : undefined)).length, 1000);
    assert.deepEqual([search.refusedRanges, search.requests()], [[], 10]);
  });

  it('sets one record apart that is too large for itself, and goes on with many at a time', () => {
    const search = createSearch(10_000, TOO_LARGE);
    run(search, ({ from, to }) => (from <= 6_000 && to > 6_000 ? TOO_LARGE : undefined));
    assert.deepEqual(refusedOf(search), [6_000]);
    assert.ok(search.requests() < 60, String(search.requests()));
  });

  it('does not take a batch apart that is bad as a whole', () => {
    const search = createSearch(10_000, BAD);
    assert.deepEqual(
      run(search, () => BAD),
      [],
    );
    assert.equal(refusedOf(search).length, 10_000);
    assert.ok(search.requests() < 40, String(search.requests()));
  });

  it('is bounded when bad records are many', () => {
    const search = createSearch(100_000, BAD);
    const delivered = run(search, ({ from, to }) => (Math.floor(from / 50) === Math.floor((to - 1) / 50) && from % 50 !== 0 ? undefined : BAD));
    assert.equal(search.requests(), MAX_REQUESTS);
    assert.equal(delivered.length + refusedOf(search).length, 100_000);
    assert.equal(new Set([...delivered, ...refusedOf(search)]).size, 100_000);
  });
});
