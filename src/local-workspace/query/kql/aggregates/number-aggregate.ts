import type { ColumnType } from '../../../tables/column.ts';
import type { Budget } from '../budget.ts';
import { readAs } from '../scalar/cast.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { NumberType } from '../values/cell.ts';
import { numberVector } from '../vectors/batch.ts';
import { growableNumbers } from '../vectors/growable.ts';
import { type Accumulator, type AggregateFunction, argumentAt, needType, resultName } from './aggregate.ts';

const SUMMED: readonly ColumnType[] = ['int', 'long', 'real', 'timespan'];

interface Summing {
  /** The type of the result for an argument's type. */
  readonly gives: (type: NumberType) => NumberType;
  /** How many numbers are kept for each group. */
  readonly width: number;
  /** Takes a value, never null, into a group's numbers, which begin at `at`. */
  readonly take: (state: Float64Array, at: number, value: number) => void;
  readonly result: (state: Float64Array, at: number) => number;
}

/** An aggregate of numbers or spans of time that keeps a few numbers for each group. Nulls are left out. */
export function numberAggregate(name: string, summing: Summing): AggregateFunction {
  return {
    name,
    arity: [1, 1],
    bind(call) {
      const argument = argumentAt(call, 0);
      const value = readAs(argument.scalar, 'real');
      needType(call, { ...argument, scalar: value }, SUMMED);
      const type = summing.gives(value.type as NumberType);
      return { outputs: [{ name: resultName(name, argument), type }], columns: value.columns, start: (budget) => createSums(value, type, summing, budget) };
    },
  };
}

function createSums(value: Scalar, type: NumberType, summing: Summing, budget: Budget): Accumulator {
  const states = growableNumbers(budget);
  return {
    add(batch, groups, count) {
      const vector = value.evaluate(batch);
      if (vector.kind === 'number') takeRows(summing, states.reserve(count * summing.width), vector.values, groups, batch.rows);
    },
    finish(count) {
      const state = states.reserve(count * summing.width);
      return [
        numberVector(
          type,
          Float64Array.from({ length: count }, (_, group) => summing.result(state, group * summing.width)),
        ),
      ];
    },
  };
}

function takeRows({ take, width }: Summing, state: Float64Array, values: Float64Array, groups: Uint32Array, rows: number): void {
  for (let row = 0; row < rows; row += 1) {
    const number = values[row] as number;
    if (!Number.isNaN(number)) take(state, (groups[row] as number) * width, number);
  }
}
