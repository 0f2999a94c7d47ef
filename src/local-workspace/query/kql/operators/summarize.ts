import type { Column } from '../../../tables/column.ts';
import type { Aggregate } from '../aggregates/aggregate.ts';
import { BATCH_ROWS } from '../limits.ts';
import { columnsOf, type Scalar } from '../scalar/scalar.ts';
import { batchOf } from '../vectors/batch.ts';
import { createGroupIndex } from '../vectors/group-index.ts';
import { slices } from '../vectors/row-store.ts';
import { demandOf, type Stage } from './stage.ts';

/** A row for each combination of keys: the keys first, then what the aggregates make of the group's rows. Without keys there is one row, also of no rows. */
export function createSummarize(input: Stage, keys: readonly Scalar[], aggregates: readonly Aggregate[]): Stage {
  const keyColumns: Column[] = keys.map(({ type }, place) => ({ name: `key ${place}`, type }));
  const needed = new Set([...columnsOf(keys), ...aggregates.flatMap(({ columns }) => [...columns])]);
  return {
    columns: [...keyColumns, ...aggregates.flatMap(({ outputs }) => outputs)],
    async *open(run) {
      const index = createGroupIndex(
        keys.map(({ type }) => type),
        run.budget,
      );
      const states = aggregates.map((aggregate) => aggregate.start(run.budget));
      for await (const batch of input.open(run, demandOf(needed))) {
        const groups = index.enter(
          keys.map((key) => key.evaluate(batch)),
          batch.rows,
        );
        for (const state of states) state.add(batch, groups, index.groups);
      }
      const count = keys.length === 0 ? 1 : index.groups;
      const vectors = [...keys.map((_, place) => index.keyVector(place)), ...states.flatMap((state) => state.finish(count))];
      yield* slices(batchOf(count, vectors), BATCH_ROWS);
    },
  };
}
