import type { Column, ColumnType } from '../../../tables/column.ts';
import type { Budget } from '../budget.ts';
import { semanticProblem } from '../problem.ts';
import { readAs } from '../scalar/cast.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { NumberType } from '../values/cell.ts';
import { numberVector } from '../vectors/batch.ts';
import { type Accumulator, type Aggregate, type AggregateCall, type AggregateFunction, argumentAt, constantNumber, needType, resultName } from './aggregate.ts';
import { createDigest, type Digest } from './digest.ts';

const RANKED: readonly ColumnType[] = ['int', 'long', 'real', 'datetime', 'timespan'];
const DIGEST_BYTES = 250;

function bindPercentiles(call: AggregateCall): Aggregate {
  const argument = argumentAt(call, 0);
  const value = readAs(argument.scalar, 'real');
  needType(call, { ...argument, scalar: value }, RANKED);
  const percents = call.args.slice(1).map((_, place) => percentAt(call, place + 1));
  const type = value.type as NumberType;
  const outputs: Column[] = percents.map((percent) => ({ name: `${resultName('percentile', argument)}_${String(percent).replace('.', '_')}`, type }));
  return { outputs, columns: value.columns, start: (budget) => createDigests(value, type, percents, budget) };
}

function percentAt(call: AggregateCall, place: number): number {
  const percent = constantNumber(call, place, 'a percentage');
  if (percent < 0 || percent > 100) throw semanticProblem(call.word, `${call.word.text}() needs a percentage from 0 to 100, but this is ${percent}.`);
  return percent;
}

function createDigests(value: Scalar, type: NumberType, percents: readonly number[], budget: Budget): Accumulator {
  const digests: Digest[] = [];
  return {
    add(batch, groups, count) {
      const vector = value.evaluate(batch);
      budget.spend((count - Math.min(digests.length, count)) * DIGEST_BYTES);
      while (digests.length < count) digests.push(createDigest(budget));
      if (vector.kind !== 'number') return;
      for (let row = 0; row < batch.rows; row += 1) {
        const number = vector.values[row] as number;
        if (!Number.isNaN(number)) digests[groups[row] as number]?.add(number);
      }
    },
    finish: (count) =>
      percents.map((percent) => {
        const results = Float64Array.from({ length: count }, (_, group) => digests[group]?.percentile(percent) ?? Number.NaN);
        return numberVector(type, type === 'int' || type === 'long' ? results.map(Math.round) : results);
      }),
  };
}

/** Percentiles of numbers, times and spans of time; nulls are left out. */
export const PERCENTILE_AGGREGATES: readonly AggregateFunction[] = [
  { name: 'percentile', arity: [2, 2], bind: bindPercentiles },
  { name: 'percentiles', arity: [2, 32], bind: bindPercentiles },
];
