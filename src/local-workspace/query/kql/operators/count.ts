import { batchOf, numberVector } from '../vectors/batch.ts';
import { demandOf, type Stage } from './stage.ts';

/** How many rows there are, in one row. Reads no column. */
export function createCount(input: Stage, name: string): Stage {
  return {
    columns: [{ name, type: 'long' }],
    async *open(run) {
      let rows = 0;
      for await (const batch of input.open(run, demandOf([]))) rows += batch.rows;
      yield batchOf(1, [numberVector('long', Float64Array.of(rows))]);
    },
  };
}
