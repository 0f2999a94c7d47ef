import type { Column, TableSchema } from '../../../tables/column.ts';
import type { Render } from '../../result.ts';
import type { Stage } from '../operators/stage.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { Scope } from '../scalar/scope.ts';
import type { Source } from '../syntax/tree.ts';

/** What the parts of a query know of the whole while their names are given a meaning. */
export interface Binding {
  readonly tables: readonly TableSchema[];
  readonly now: number;
  /** Scalars from `let`. */
  readonly scalars: ReadonlyMap<string, Scalar>;
  /** The meaning of a table, a union or a query in brackets. */
  source(source: Source): Bound;
}

/** A bound query: a stage, and what `render` asked for. */
export interface Bound {
  readonly stage: Stage;
  readonly render: Render | undefined;
}

/** What names mean for an operator over these columns. */
export function scopeOf(binding: Binding, operator: string, columns: readonly Column[]): Scope {
  return { operator, columns, lets: binding.scalars, now: binding.now };
}
