import type { Column } from '../../../tables/column.ts';
import type { Budget } from '../budget.ts';
import { columnsOf, type Scalar } from '../scalar/scalar.ts';
import { type Batch, createBatch } from '../vectors/batch.ts';
import { type RowOrder, rankTexts, rowOrder, type SortOrder } from '../vectors/order.ts';
import { createRowStore, type RowStore } from '../vectors/row-store.ts';
import type { Demand, Stage } from './stage.ts';

/** One key of an order. */
export interface Key extends SortOrder {
  readonly scalar: Scalar;
}

/** What `sort` and `top` need of their input: the keys' columns too. */
export function demandOfKeys(keys: readonly Key[], { columns, ranges }: Demand): Demand {
  return { columns: new Set([...columns, ...columnsOf(keys.map(({ scalar }) => scalar))]), ranges };
}

/** A store for rows with their keys as columns behind their own. */
export function createKeyedStore({ columns }: Stage, keys: readonly Key[], demand: Demand, budget: Budget): RowStore {
  const keyColumns: Column[] = keys.map(({ scalar }, place) => ({ name: `key ${place}`, type: scalar.type }));
  const kept = new Set([...demand.columns, ...keyColumns.map((_, place) => columns.length + place)]);
  return createRowStore([...columns, ...keyColumns], kept, budget);
}

/** A batch with its keys as columns behind its own. */
export function withKeys(batch: Batch, { columns }: Stage, keys: readonly Key[]): Batch {
  return createBatch(batch.rows, (index) => keys[index - columns.length]?.scalar.evaluate(batch) ?? batch.column(index));
}

/** The order of rows that have their keys behind their columns. `ranked` pays for many rows: texts are put in order once, then compared as numbers. */
export function orderOf(rows: Pick<Batch, 'column'>, { columns }: Stage, keys: readonly Key[], ranked: boolean): RowOrder {
  const vectors = keys.map((_, place) => rows.column(columns.length + place));
  return rowOrder(ranked ? vectors.map(rankTexts) : vectors, keys);
}
