import type { Column } from './column.ts';
import { NO_TEXT, type NumberVector, type Vector } from './vector.ts';
import { isText } from './vector-codec.ts';

const FIRST_ROOM = 1_024;

/** Gathers the values of one column, row by row; a row that is not set has none. */
export interface ColumnBuilder {
  readonly column: Column;
  /** A number for columns of numbers, times and truth values; a text for the others. Rows may be left out, never gone back to. */
  set(row: number, value: number | string): void;
  /** The values of the first `rows` rows. */
  build(rows: number): Vector;
}

export function createColumnBuilder(column: Column): ColumnBuilder {
  return isText(column.type) ? createTextBuilder(column) : createNumberBuilder(column);
}

function createNumberBuilder(column: Column): ColumnBuilder {
  let values = new Float64Array(FIRST_ROOM).fill(Number.NaN);
  const reach = (rows: number): void => {
    if (rows <= values.length) return;
    const larger = new Float64Array(Math.max(rows, values.length * 2)).fill(Number.NaN);
    larger.set(values);
    values = larger;
  };
  return {
    column,
    set(row, value) {
      reach(row + 1);
      values[row] = value as number;
    },
    build(rows) {
      reach(rows);
      return { kind: 'number', type: column.type as NumberVector['type'], values: values.subarray(0, rows) };
    },
  };
}

function createTextBuilder(column: Column): ColumnBuilder {
  const places = new Map<string, number>();
  const dictionary: string[] = [];
  let codes = new Uint32Array(FIRST_ROOM).fill(NO_TEXT);
  const reach = (rows: number): void => {
    if (rows <= codes.length) return;
    const larger = new Uint32Array(Math.max(rows, codes.length * 2)).fill(NO_TEXT);
    larger.set(codes);
    codes = larger;
  };
  return {
    column,
    set(row, value) {
      reach(row + 1);
      const text = value as string;
      let code = places.get(text);
      if (code === undefined) {
        code = dictionary.push(text) - 1;
        places.set(text, code);
      }
      codes[row] = code;
    },
    build(rows) {
      reach(rows);
      return { kind: 'text', type: column.type as 'string', dictionary, codes: codes.subarray(0, rows) };
    },
  };
}
