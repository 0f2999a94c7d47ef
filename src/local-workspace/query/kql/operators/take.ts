import { firstRows } from '../vectors/batch.ts';
import type { Stage } from './stage.ts';

/** The first rows that come, and then the reading ends. */
export function createTake(input: Stage, count: number): Stage {
  return {
    columns: input.columns,
    async *open(run, { columns }) {
      let left = count;
      if (left <= 0) return;
      for await (const batch of input.open(run, { columns, ranges: new Map() })) {
        yield batch.rows <= left ? batch : firstRows(batch, left);
        left -= batch.rows;
        if (left <= 0) return;
      }
    },
  };
}
