import type { ColumnType } from '../../../tables/column.ts';
import type { Vector } from '../../../tables/vector.ts';
import type { TimeRange } from '../../result.ts';
import type { Cell } from '../values/cell.ts';
import { type Batch, constantVector } from '../vectors/batch.ts';

/** An expression whose names have a meaning: it makes a vector of any batch of its input. */
export interface Scalar {
  readonly type: ColumnType;
  /** Columns of the input that it reads. */
  readonly columns: ReadonlySet<number>;
  /** Its value, when it is the same for every row. */
  readonly constant?: { readonly value: Cell };
  /** The column of the input that it is, unchanged. */
  readonly column?: number;
  /** For a condition: it is false where this column is outside the range. */
  readonly within?: { readonly column: number; readonly range: TimeRange };
  evaluate(batch: Batch): Vector;
}

export function constantScalar(type: ColumnType, value: Cell): Scalar {
  return { type, columns: new Set(), constant: { value }, evaluate: ({ rows }) => constantVector(type, value, rows) };
}

export function columnScalar(type: ColumnType, column: number): Scalar {
  return { type, columns: new Set([column]), column, evaluate: (batch) => batch.column(column) };
}

/** The columns that any of these reads. */
export function columnsOf(scalars: readonly Scalar[]): ReadonlySet<number> {
  return new Set(scalars.flatMap(({ columns }) => [...columns]));
}
