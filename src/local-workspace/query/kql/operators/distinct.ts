import type { Column } from '../../../tables/column.ts';
import { pickRows } from '../vectors/batch.ts';
import { createGroupIndex } from '../vectors/group-index.ts';
import { demandOf, type Stage } from './stage.ts';

/** Each combination of values once, as soon as it comes. */
export function createDistinct(input: Stage): Stage {
  const types = input.columns.map(({ type }: Column) => type);
  return {
    columns: input.columns,
    async *open(run) {
      const seen = createGroupIndex(types, run.budget);
      for await (const batch of input.open(run, demandOf(input.columns.keys()))) {
        const before = seen.groups;
        const groups = seen.enter(
          types.map((_, place) => batch.column(place)),
          batch.rows,
        );
        if (seen.groups > before) yield pickRows(batch, firstOfEach(groups, before, seen.groups));
      }
    },
  };
}

/** The rows in which the groups from `before` to before `after` come for the first time. */
export function firstOfEach(groups: Uint32Array, before: number, after: number): Uint32Array {
  const rows = new Uint32Array(after - before);
  let next = before;
  for (let row = 0; row < groups.length && next < after; row += 1) {
    if (groups[row] === next) rows[next++ - before] = row;
  }
  return rows;
}
