import type { ColumnType } from '../../../tables/column.ts';
import type { Word } from '../problem.ts';
import type { Cell } from '../values/cell.ts';

/** A query as its text says it, before any name has a meaning. `word` is what an error about the node points at. */

export type Expression =
  | { readonly kind: 'literal'; readonly word: Word; readonly type: ColumnType; readonly value: Cell }
  | { readonly kind: 'name'; readonly word: Word; readonly name: string }
  | { readonly kind: 'star'; readonly word: Word }
  | { readonly kind: 'member'; readonly word: Word; readonly object: Expression; readonly key: string }
  | { readonly kind: 'element'; readonly word: Word; readonly object: Expression; readonly index: Expression }
  | { readonly kind: 'call'; readonly word: Word; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'negative'; readonly word: Word; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly word: Word; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'logic'; readonly word: Word; readonly operator: 'and' | 'or'; readonly operands: readonly Expression[] }
  | { readonly kind: 'list'; readonly word: Word; readonly operator: string; readonly left: Expression; readonly items: readonly Expression[] }
  | {
      readonly kind: 'between';
      readonly word: Word;
      readonly negated: boolean;
      readonly left: Expression;
      readonly low: Expression;
      readonly high: Expression;
    };

/** The expressions directly inside one. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'name':
    case 'star':
      return [];
    case 'member':
      return [expression.object];
    case 'element':
      return [expression.object, expression.index];
    case 'call':
      return expression.args;
    case 'negative':
      return [expression.operand];
    case 'binary':
      return [expression.left, expression.right];
    case 'logic':
      return expression.operands;
    case 'list':
      return [expression.left, ...expression.items];
    case 'between':
      return [expression.left, expression.low, expression.high];
  }
}

/** `names = expression`: no names when the text gives none, several for `(a, b) = arg_max(…)`. */
export interface Named {
  readonly names: readonly Word[];
  readonly expression: Expression;
}

export interface SortKey {
  readonly expression: Expression;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** A column's name, or a pattern with `*`. */
export interface NamePattern {
  readonly word: Word;
  readonly pattern: string;
}

/** One equality of a join: the same column on both sides, or two expressions with `$left` and `$right`. */
export interface JoinCondition {
  readonly word: Word;
  readonly left: Word;
  readonly right: Word;
}

export const JOIN_KINDS = ['innerunique', 'inner', 'leftouter', 'leftanti', 'leftsemi'] as const;
export type JoinKind = (typeof JOIN_KINDS)[number];

export interface Union {
  readonly word: Word;
  readonly kind: 'inner' | 'outer';
  readonly withSource: Word | undefined;
  readonly branches: readonly Source[];
}

export type Operator =
  | { readonly kind: 'where'; readonly word: Word; readonly predicate: Expression }
  | { readonly kind: 'project' | 'extend'; readonly word: Word; readonly items: readonly Named[] }
  | { readonly kind: 'project-away' | 'project-keep'; readonly word: Word; readonly patterns: readonly NamePattern[] }
  | { readonly kind: 'project-rename'; readonly word: Word; readonly pairs: readonly { readonly to: Word; readonly from: Word }[] }
  | { readonly kind: 'summarize'; readonly word: Word; readonly aggregates: readonly Named[]; readonly by: readonly Named[] }
  | { readonly kind: 'sort'; readonly word: Word; readonly keys: readonly SortKey[] }
  | { readonly kind: 'take'; readonly word: Word; readonly count: Expression }
  | { readonly kind: 'top'; readonly word: Word; readonly count: Expression; readonly keys: readonly SortKey[] }
  | { readonly kind: 'distinct'; readonly word: Word; readonly items: readonly Named[] }
  | { readonly kind: 'count'; readonly word: Word; readonly name: string }
  | { readonly kind: 'join'; readonly word: Word; readonly flavour: JoinKind; readonly right: Source; readonly conditions: readonly JoinCondition[] }
  | { readonly kind: 'union'; readonly word: Word; readonly union: Union }
  | { readonly kind: 'getschema'; readonly word: Word }
  | { readonly kind: 'render'; readonly word: Word; readonly visualization: string; readonly properties: Readonly<Record<string, string | number | boolean>> };

export type Source =
  | { readonly kind: 'table'; readonly word: Word; readonly name: string }
  | { readonly kind: 'tables'; readonly word: Word; readonly pattern: string }
  | { readonly kind: 'union'; readonly word: Word; readonly union: Union }
  | { readonly kind: 'print'; readonly word: Word; readonly items: readonly Named[] }
  | { readonly kind: 'pipeline'; readonly word: Word; readonly pipeline: Pipeline };

export interface Pipeline {
  readonly source: Source;
  readonly operators: readonly Operator[];
}

export type Let =
  | { readonly kind: 'scalar'; readonly name: Word; readonly expression: Expression }
  | { readonly kind: 'tabular'; readonly name: Word; readonly pipeline: Pipeline };

export interface Query {
  readonly lets: readonly Let[];
  readonly pipeline: Pipeline;
}
