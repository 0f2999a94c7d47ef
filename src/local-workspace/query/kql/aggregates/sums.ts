import type { AggregateFunction } from './aggregate.ts';
import { filtered } from './filtered.ts';
import { numberAggregate } from './number-aggregate.ts';

// Every access is inside: a group's numbers were reserved before.
function at(state: Float64Array, place: number): number {
  return state[place] as number;
}

const SUM = numberAggregate('sum', {
  gives: (type) => (type === 'int' ? 'long' : type),
  width: 1,
  take(state, place, value) {
    state[place] = at(state, place) + value;
  },
  result: at,
});

const AVG = numberAggregate('avg', {
  gives: (type) => (type === 'timespan' ? type : 'real'),
  width: 2,
  take(state, place, value) {
    state[place] = at(state, place) + value;
    state[place + 1] = at(state, place + 1) + 1;
  },
  result: (state, place) => at(state, place) / at(state, place + 1),
});

// Welford's way: count, mean, sum of squares of the differences from the mean.
const SPREAD = {
  gives: () => 'real' as const,
  width: 3,
  take(state: Float64Array, place: number, value: number): void {
    const count = at(state, place) + 1;
    const difference = value - at(state, place + 1);
    const mean = at(state, place + 1) + difference / count;
    state[place] = count;
    state[place + 1] = mean;
    state[place + 2] = at(state, place + 2) + difference * (value - mean);
  },
};

function sampleVariance(state: Float64Array, place: number): number {
  return at(state, place) > 1 ? at(state, place + 2) / (at(state, place) - 1) : 0;
}

const VARIANCE = numberAggregate('variance', { ...SPREAD, result: sampleVariance });
const STDEV = numberAggregate('stdev', { ...SPREAD, result: (state, place) => Math.sqrt(sampleVariance(state, place)) });

/** Sums and averages: without a value a sum is 0 and an average null; the spread of one value is 0, of a sample (n - 1). */
export const SUM_AGGREGATES: readonly AggregateFunction[] = [
  ...[SUM, AVG, VARIANCE, STDEV],
  ...[filtered('sumif', SUM), filtered('avgif', AVG), filtered('varianceif', VARIANCE), filtered('stdevif', STDEV)],
];
