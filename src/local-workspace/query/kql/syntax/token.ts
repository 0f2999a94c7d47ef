import type { ColumnType } from '../../../tables/column.ts';
import type { Word } from '../problem.ts';

/**
 * A word of the text. `name`: also keywords, and operators made of letters such as `!contains` and `in~` · `string`, `number`, `timespan`: their value
 * is read · `typed`: `datetime(…)` and its like, with the raw text between the brackets · `symbol`: punctuation · `end`: once, at the end.
 */
export type Token = Word & { readonly end: number } & (
    | { readonly kind: 'name' | 'symbol' | 'end' }
    | { readonly kind: 'string'; readonly value: string }
    | { readonly kind: 'number'; readonly type: 'long' | 'real'; readonly value: number }
    | { readonly kind: 'timespan'; readonly value: number }
    | { readonly kind: 'typed'; readonly type: ColumnType; readonly raw: string }
  );

/** What may stand before a bracket to make a literal of a type (Kusto, "Scalar data types"). */
export const TYPE_WORDS: Readonly<Record<string, ColumnType>> = {
  bool: 'bool',
  boolean: 'bool',
  datetime: 'datetime',
  date: 'datetime',
  dynamic: 'dynamic',
  guid: 'guid',
  int: 'int',
  long: 'long',
  real: 'real',
  double: 'real',
  timespan: 'timespan',
  time: 'timespan',
};
