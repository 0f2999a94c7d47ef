import type { Column } from '../../../tables/column.ts';
import type { Expression } from '../syntax/tree.ts';
import type { Scalar } from './scalar.ts';

/** What names mean at one place of a query. */
export interface Scope {
  /** The operator, for messages. */
  readonly operator: string;
  /** The rows' columns, in their order. */
  readonly columns: readonly Column[];
  /** Scalars from `let`. */
  readonly lets: ReadonlyMap<string, Scalar>;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Asked before everything else: a scalar for this expression, when the place has a meaning of its own for it. */
  readonly instead?: (expression: Expression) => Scalar | undefined;
}
