import type { Vector } from '../../../tables/vector.ts';
import { semanticProblem } from '../problem.ts';
import { asCondition } from '../scalar/logic.ts';
import { type Batch, pickRows } from '../vectors/batch.ts';
import { trueRows } from '../vectors/true-rows.ts';
import { type Accumulator, type AggregateFunction, resultName } from './aggregate.ts';

/** An aggregate of the rows for which a condition holds, which comes behind the arguments that must be there: `sumif(n, condition)` of `sum(n)`. */
export function filtered(name: string, plain: AggregateFunction): AggregateFunction {
  const [place, most] = plain.arity;
  return {
    name,
    arity: [place + 1, most + 1],
    bind(call) {
      const condition = call.args[place];
      if (!condition) throw semanticProblem(call.word, `${name}() needs a condition.`, 'SEM0219');
      const truth = asCondition(call.word, `${name}()`, condition.scalar);
      const inner = plain.bind({ ...call, args: call.args.filter((_, index) => index !== place) });
      return {
        outputs: inner.outputs.map(({ type }) => ({ type, name: resultName(name, call.args[0]) })),
        columns: new Set([...inner.columns, ...truth.columns]),
        start: (budget) => onlyWhere(inner.start(budget), (batch) => truth.evaluate(batch)),
      };
    },
  };
}

function onlyWhere(inner: Accumulator, truthOf: (batch: Batch) => Vector): Accumulator {
  return {
    add(batch, groups, count) {
      const truth = truthOf(batch);
      if (truth.kind !== 'number') return;
      const rows = trueRows(truth.values, batch.rows);
      if (rows.length === batch.rows) return inner.add(batch, groups, count);
      inner.add(
        pickRows(batch, rows),
        Uint32Array.from(rows, (row) => groups[row] as number),
        count,
      );
    },
    finish: (count) => inner.finish(count),
  };
}
