import type { Vector } from '../../../tables/vector.ts';
import { derivedName } from '../scalar/name.ts';
import { columnsOf } from '../scalar/scalar.ts';
import { isNull } from '../values/cell.ts';
import { cellAt } from '../vectors/batch.ts';
import type { Aggregate, AggregateCall, AggregateFunction } from './aggregate.ts';
import { createRowKeeper } from './row-keeper.ts';

/** The values of some row of the group: the first that comes, or for one column alone the first that is not null. */
export const ANY_AGGREGATES: readonly AggregateFunction[] = [
  { name: 'take_any', arity: [1, 64], bind: (call) => bindAny(call, '') },
  { name: 'any', arity: [1, 64], bind: (call) => bindAny(call, 'any_') },
];

function bindAny(call: AggregateCall, prefix: string): Aggregate {
  const values = call.args.flatMap((argument) => (argument.expression.kind === 'star' ? call.others : [argument]));
  const scalars = values.map(({ scalar }) => scalar);
  const types = scalars.map(({ type }) => type);
  return {
    outputs: values.map(({ scalar, expression }) => ({ name: `${prefix}${derivedName(expression) ?? ''}` || 'any_', type: scalar.type })),
    columns: columnsOf(scalars),
    start(budget) {
      const keeper = createRowKeeper(types, budget);
      return {
        add(batch, groups) {
          const vectors = scalars.map((scalar) => scalar.evaluate(batch));
          for (let row = 0; row < batch.rows; row += 1) {
            const group = groups[row] as number;
            if (!keeper.has(group) && isWanted(vectors, row)) keeper.keep(group, vectors, row);
          }
        },
        finish: (count) => keeper.finish(count),
      };
    },
  };
}

function isWanted(vectors: readonly Vector[], row: number): boolean {
  const [only] = vectors;
  return vectors.length !== 1 || !only || !isNull(cellAt(only, row));
}
