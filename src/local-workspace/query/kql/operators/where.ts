import type { TimeRange } from '../../result.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { type Batch, pickRows } from '../vectors/batch.ts';
import { trueRows } from '../vectors/true-rows.ts';
import { type Demand, narrowed, type Run, type Stage } from './stage.ts';

/** Keeps the rows for which the condition is true: neither false nor null. */
export function createWhere(input: Stage, condition: Scalar): Stage {
  return { columns: input.columns, open: (run, demand) => filter(input, condition, run, demand) };
}

async function* filter(input: Stage, condition: Scalar, run: Run, demand: Demand): AsyncGenerator<Batch> {
  if (condition.constant && condition.constant.value !== 1) return;
  for await (const batch of input.open(run, demandOfFilter(condition, demand))) {
    const kept = condition.constant ? batch : rowsThat(batch, condition);
    if (kept.rows > 0) yield kept;
  }
}

function demandOfFilter({ columns, within }: Scalar, demand: Demand): Demand {
  const ranges = new Map<number, TimeRange>(demand.ranges);
  if (within) ranges.set(within.column, narrowed(ranges.get(within.column), within.range));
  return { columns: new Set([...demand.columns, ...columns]), ranges };
}

/** The rows of a batch for which a condition is true. */
function rowsThat(batch: Batch, condition: Scalar): Batch {
  const truth = condition.evaluate(batch);
  if (truth.kind !== 'number') return batch;
  const rows = trueRows(truth.values, batch.rows);
  return rows.length === batch.rows ? batch : pickRows(batch, rows);
}
