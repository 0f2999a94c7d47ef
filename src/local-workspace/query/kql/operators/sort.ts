import { BATCH_ROWS } from '../limits.ts';
import { mergeSort } from '../vectors/merge-sort.ts';
import { slices } from '../vectors/row-store.ts';
import { createKeyedStore, demandOfKeys, type Key, orderOf, withKeys } from './sort-keys.ts';
import type { Stage } from './stage.ts';

const BYTES_OF_A_PLACE = 8;

/** All rows, in the order of the keys. They are held in memory. */
export function createSort(input: Stage, keys: readonly Key[]): Stage {
  return {
    columns: input.columns,
    async *open(run, demand) {
      const store = createKeyedStore(input, keys, demand, run.budget);
      for await (const batch of input.open(run, demandOfKeys(keys, demand))) store.append(withKeys(batch, input, keys));
      run.budget.spend(store.rows * BYTES_OF_A_PLACE);
      const rows = await mergeSort(store.rows, orderOf(store, input, keys, true), run.pause);
      yield* slices(store.pick(rows), BATCH_ROWS);
    },
  };
}
