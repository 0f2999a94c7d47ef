import type { Column } from '../../../tables/column.ts';
import type { TimeRange } from '../../result.ts';
import { columnsOf, type Scalar } from '../scalar/scalar.ts';
import { constantVector, createBatch } from '../vectors/batch.ts';
import type { Demand, Stage } from './stage.ts';

/** A column that an operator makes. */
export interface Projection {
  readonly name: string;
  readonly scalar: Scalar;
}

/** Rows with these columns instead of their own: what `project`, `extend`, `project-away`, `project-rename` come to. A column that nobody reads is not computed. */
export function createProject(input: Stage, projections: readonly Projection[]): Stage {
  const columns: Column[] = projections.map(({ name, scalar }) => ({ name, type: scalar.type }));
  return {
    columns,
    async *open(run, demand) {
      for await (const batch of input.open(run, demandOfInput(projections, demand))) {
        yield createBatch(batch.rows, (index) => projections[index]?.scalar.evaluate(batch) ?? constantVector('string', '', batch.rows));
      }
    },
  };
}

function demandOfInput(projections: readonly Projection[], { columns, ranges }: Demand): Demand {
  const needed = [...columns].flatMap((place) => projections[place]?.scalar ?? []);
  const passed = new Map<number, TimeRange>();
  for (const [place, range] of ranges) {
    const column = projections[place]?.scalar.column;
    if (column !== undefined) passed.set(column, range);
  }
  return { columns: columnsOf(needed), ranges: passed };
}
