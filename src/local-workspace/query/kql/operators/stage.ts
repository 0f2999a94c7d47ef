import type { Column } from '../../../tables/column.ts';
import type { Scanner } from '../../../tables/scan.ts';
import type { TimeRange } from '../../result.ts';
import type { Budget } from '../budget.ts';
import type { Batch } from '../vectors/batch.ts';

/** What all stages of a running query share. */
export interface Run {
  readonly scanner: Scanner;
  /** Rows of tables outside it do not exist. */
  readonly timespan: TimeRange | undefined;
  readonly budget: Budget;
  /** Lets the thread do other work. Throws `Cancelled` when the caller has given up. */
  pause(): Promise<void>;
  /** Counts rows that a table gave. */
  scanned(rows: number): void;
}

/** What a stage's reader needs of it. */
export interface Demand {
  /** Places of the columns that will be read; others may not be asked for. */
  readonly columns: ReadonlySet<number>;
  /** Rows outside these ranges of a column are thrown away by the reader: they need not come, and may. */
  readonly ranges: ReadonlyMap<number, TimeRange>;
}

/** One step of a query: a table that flows. It may be opened more than once. */
export interface Stage {
  readonly columns: readonly Column[];
  open(run: Run, demand: Demand): AsyncIterable<Batch>;
}

/** No ranges, and these columns. */
export function demandOf(columns: Iterable<number>): Demand {
  return { columns: new Set(columns), ranges: new Map() };
}

/** All columns. */
export function demandAll(stage: Stage): Demand {
  return demandOf(stage.columns.keys());
}

/** The part that two ranges have in common. */
export function narrowed(a: TimeRange | undefined, b: TimeRange | undefined): TimeRange {
  const from = Math.max(a?.from ?? Number.NEGATIVE_INFINITY, b?.from ?? Number.NEGATIVE_INFINITY);
  const to = Math.min(a?.to ?? Number.POSITIVE_INFINITY, b?.to ?? Number.POSITIVE_INFINITY);
  return { from: Number.isFinite(from) ? from : undefined, to: Number.isFinite(to) ? to : undefined };
}
