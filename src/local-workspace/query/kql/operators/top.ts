import { BATCH_ROWS } from '../limits.ts';
import { type Batch, pickRows } from '../vectors/batch.ts';
import { bestRows } from '../vectors/best-rows.ts';
import { mergeSort } from '../vectors/merge-sort.ts';
import { type RowStore, slices } from '../vectors/row-store.ts';
import { createKeyedStore, demandOfKeys, type Key, orderOf, withKeys } from './sort-keys.ts';
import type { Demand, Run, Stage } from './stage.ts';

// Rows that may wait, beside twice those wanted, before the best are chosen again.
const SLACK_ROWS = 8_192;

/** The first rows in the order of the keys. Little more than twice as many are held. */
export function createTop(input: Stage, keys: readonly Key[], most: number): Stage {
  return {
    columns: input.columns,
    // Which rows are the first must not depend on what a reader throws away.
    open: (run, { columns }) => best(input, keys, most, run, { columns, ranges: new Map() }),
  };
}

async function* best(input: Stage, keys: readonly Key[], most: number, run: Run, demand: Demand): AsyncGenerator<Batch> {
  if (most <= 0) return;
  let budget = run.budget.part();
  let store = createKeyedStore(input, keys, demand, budget);
  for await (const batch of input.open(run, demandOfKeys(keys, demand))) {
    store.append(bestOf(withKeys(batch, input, keys), input, keys, most));
    if (store.rows <= most * 2 + SLACK_ROWS) continue;
    const next = run.budget.part();
    store = compacted(store, createKeyedStore(input, keys, demand, next), input, keys, most);
    budget.end();
    budget = next;
  }
  const rows = await mergeSort(store.rows, orderOf(store, input, keys, true), run.pause);
  yield* slices(store.pick(rows.subarray(0, most)), BATCH_ROWS);
}

function bestOf(batch: Batch, input: Stage, keys: readonly Key[], most: number): Batch {
  return batch.rows > most ? pickRows(batch, bestRows(batch.rows, most, orderOf(batch, input, keys, false))) : batch;
}

function compacted(store: RowStore, kept: RowStore, input: Stage, keys: readonly Key[], most: number): RowStore {
  kept.append(store.pick(bestRows(store.rows, most, orderOf(store, input, keys, false))));
  return kept;
}
