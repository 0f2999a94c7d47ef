import type { Budget } from '../budget.ts';
import { semanticProblem } from '../problem.ts';
import { isNull } from '../values/cell.ts';
import { cellAt, numberVector } from '../vectors/batch.ts';
import { createGroupIndex } from '../vectors/group-index.ts';
import { growableNumbers } from '../vectors/growable.ts';
import { type Accumulator, type AggregateFunction, argumentAt, resultName } from './aggregate.ts';
import { filtered } from './filtered.ts';

const COUNT: AggregateFunction = {
  name: 'count',
  arity: [0, 0],
  bind: () => ({ outputs: [{ name: 'count_', type: 'long' }], columns: new Set(), start: createCounter }),
};

function createCounter(budget: Budget): Accumulator {
  const counts = growableNumbers(budget);
  return {
    add({ rows }, groups, count) {
      const state = counts.reserve(count);
      for (let row = 0; row < rows; row += 1) {
        const group = groups[row] as number;
        state[group] = (state[group] as number) + 1;
      }
    },
    finish: (count) => [numberVector('long', counts.reserve(count).slice(0, count))],
  };
}

// Exact, whatever it takes; dcount() is the one for many values.
const COUNT_DISTINCT: AggregateFunction = {
  name: 'count_distinct',
  arity: [1, 1],
  bind(call) {
    const argument = argumentAt(call, 0);
    const { scalar } = argument;
    if (scalar.type === 'dynamic') throw semanticProblem(call.word, 'count_distinct() cannot count dynamic values. Try adding tostring().');
    return {
      outputs: [{ name: resultName('count_distinct', argument), type: 'long' }],
      columns: scalar.columns,
      start(budget) {
        const counts = growableNumbers(budget);
        const seen = createGroupIndex(['long', scalar.type], budget);
        return {
          add(batch, groups, count) {
            const state = counts.reserve(count);
            const values = scalar.evaluate(batch);
            let next = seen.groups;
            const pairs = seen.enter([numberVector('long', Float64Array.from(groups.subarray(0, batch.rows))), values], batch.rows);
            for (let row = 0; row < batch.rows; row += 1) {
              if (pairs[row] !== next) continue;
              next += 1;
              const group = groups[row] as number;
              if (!isNull(cellAt(values, row))) state[group] = (state[group] as number) + 1;
            }
          },
          finish: (count) => [numberVector('long', counts.reserve(count).slice(0, count))],
        };
      },
    };
  },
};

/** How many rows, and how many different values there are. */
export const COUNT_AGGREGATES: readonly AggregateFunction[] = [COUNT, filtered('countif', COUNT), COUNT_DISTINCT];
