import type { ColumnType } from './column.ts';

/** Numbers, times (milliseconds since 1970), spans of time (milliseconds) and truth values (0, 1). NaN where a row has none. */
export interface NumberVector {
  readonly kind: 'number';
  readonly type: Extract<ColumnType, 'int' | 'long' | 'real' | 'bool' | 'datetime' | 'timespan'>;
  readonly values: Float64Array;
}

/** Texts: a row's code is its text's place in the dictionary, in which each text stands once. A `dynamic` is the text of its JSON. */
export interface TextVector {
  readonly kind: 'text';
  readonly type: Extract<ColumnType, 'string' | 'guid' | 'dynamic'>;
  readonly dictionary: readonly string[];
  /** `NO_TEXT` where a row has none. */
  readonly codes: Uint32Array;
}

/** The values of one column for the rows of a chunk. */
export type Vector = NumberVector | TextVector;

/** The code of a row that has no text. */
export const NO_TEXT = 0xffff_ffff;
