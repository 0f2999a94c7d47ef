import type { Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { semanticProblem } from '../problem.ts';
import { derivedName } from '../scalar/name.ts';
import { columnsOf } from '../scalar/scalar.ts';
import { type Cell, isNull } from '../values/cell.ts';
import { cellAt } from '../vectors/batch.ts';
import { type Accumulator, type Aggregate, type AggregateCall, type AggregateFunction, type Argument, argumentAt, resultName } from './aggregate.ts';
import { filtered } from './filtered.ts';
import { createRowKeeper, type RowKeeper } from './row-keeper.ts';

type Better = (a: Cell, b: Cell) => boolean;

const greater: Better = (a, b) => (a as number) > (b as number);
const less: Better = (a, b) => (a as number) < (b as number);

const MIN = extreme('min', less);
const MAX = extreme('max', greater);

/** The least and the greatest, alone or with what else their row has. Nulls are left out. */
export const EXTREME_AGGREGATES: readonly AggregateFunction[] = [
  ...[MIN, MAX, filtered('minif', MIN), filtered('maxif', MAX)],
  { name: 'arg_min', arity: [2, 64], bind: (call) => bindArg(call, 'min', less) },
  { name: 'arg_max', arity: [2, 64], bind: (call) => bindArg(call, 'max', greater) },
];

function extreme(name: string, better: Better): AggregateFunction {
  return {
    name,
    arity: [1, 1],
    bind(call) {
      const argument = argumentAt(call, 0);
      return bindBest(call, [argument], [resultName(name, argument)], better);
    },
  };
}

// The result of the extreme is called like its expression, and so are the columns that come with it.
function bindArg(call: AggregateCall, name: string, better: Better): Aggregate {
  const argument = argumentAt(call, 0);
  const own = derivedName(argument.expression);
  const returned = call.args
    .slice(1)
    .flatMap((one) => (one.expression.kind === 'star' ? call.others.filter((other) => derivedName(other.expression) !== own) : [one]));
  const names = [own ?? `${name}_`, ...returned.map(({ expression }, place) => derivedName(expression) ?? `${name}_arg${place + 1}`)];
  return bindBest(call, [argument, ...returned], names, better);
}

function bindBest({ word }: AggregateCall, values: readonly Argument[], names: readonly string[], better: Better): Aggregate {
  const scalars = values.map(({ scalar }) => scalar);
  if (scalars[0]?.type === 'dynamic') throw semanticProblem(word, `${word.text}() cannot order dynamic values. Try adding an explicit cast such as toreal().`);
  return {
    outputs: scalars.map(({ type }, place) => ({ name: names[place] ?? '', type })),
    columns: columnsOf(scalars),
    start: (budget) =>
      createBest(
        scalars.map((scalar) => scalar.type),
        (batch) => scalars.map((scalar) => scalar.evaluate(batch)),
        better,
        budget,
      ),
  };
}

function createBest(
  types: Parameters<typeof createRowKeeper>[0],
  vectorsOf: (batch: Parameters<Accumulator['add']>[0]) => Vector[],
  better: Better,
  budget: Budget,
): Accumulator {
  const keeper = createRowKeeper(types, budget);
  return {
    add(batch, groups, count) {
      const vectors = vectorsOf(batch);
      const rows = bestRowOfEach(vectors[0] as Vector, groups, batch.rows, count, better);
      for (let group = 0; group < count; group += 1) {
        const row = (rows[group] as number) - 1;
        if (row >= 0 && isBetter(keeper, group, cellAt(vectors[0] as Vector, row), better)) keeper.keep(group, vectors, row);
      }
    },
    finish: (count) => keeper.finish(count),
  };
}

function isBetter(keeper: RowKeeper, group: number, cell: Cell, better: Better): boolean {
  return !keeper.has(group) || better(cell, keeper.cell(group, 0));
}

// Each group's best row of a batch + 1; 0 for none. Only these rows are looked at column by column.
function bestRowOfEach(values: Vector, groups: Uint32Array, rows: number, count: number, better: Better): Uint32Array {
  const best = new Uint32Array(count);
  for (let row = 0; row < rows; row += 1) {
    const cell = cellAt(values, row);
    if (isNull(cell)) continue;
    const group = groups[row] as number;
    const held = best[group] as number;
    if (held === 0 || better(cell, cellAt(values, held - 1))) best[group] = row + 1;
  }
  return best;
}
