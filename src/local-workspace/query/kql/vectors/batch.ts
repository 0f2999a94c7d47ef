import type { ColumnType } from '../../../tables/column.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../../../tables/vector.ts';
import { type Cell, isTextType, nullOf } from '../values/cell.ts';

/** Rows on their way through a query. A column is made when it is first asked for, and only columns that were demanded may be. */
export interface Batch {
  readonly rows: number;
  column(index: number): Vector;
}

/** `make` is called at most once for each column. */
export function createBatch(rows: number, make: (index: number) => Vector): Batch {
  const made: (Vector | undefined)[] = [];
  return {
    rows,
    column(index) {
      const known = made[index];
      if (known) return known;
      const vector = make(index);
      made[index] = vector;
      return vector;
    },
  };
}

export function batchOf(rows: number, vectors: readonly Vector[]): Batch {
  return createBatch(rows, (index) => vectors[index] ?? constantVector('string', '', rows));
}

/** These rows of a batch, in this order. Columns are gathered when asked for. */
export function pickRows(batch: Batch, rows: Uint32Array): Batch {
  return createBatch(rows.length, (index) => pickFrom(batch.column(index), rows));
}

export function pickFrom(vector: Vector, rows: Uint32Array): Vector {
  if (vector.kind === 'number') {
    const { values, type } = vector;
    const picked = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i += 1) picked[i] = values[rows[i] as number] as number;
    return { kind: 'number', type, values: picked };
  }
  const { codes, type, dictionary } = vector;
  const picked = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i += 1) picked[i] = codes[rows[i] as number] as number;
  return { kind: 'text', type, dictionary, codes: picked };
}

/** Rows from `from` to before `to`, without copying. */
export function sliceOf(vector: Vector, from: number, to: number): Vector {
  if (vector.kind === 'number') return numberVector(vector.type, vector.values.subarray(from, to));
  return { kind: 'text', type: vector.type, dictionary: vector.dictionary, codes: vector.codes.subarray(from, to) };
}

/** The first rows of a batch. */
export function firstRows(batch: Batch, rows: number): Batch {
  return createBatch(rows, (index) => sliceOf(batch.column(index), 0, rows));
}

export function numberVector(type: NumberVector['type'], values: Float64Array): NumberVector {
  return { kind: 'number', type, values };
}

/** The same value in every row. */
export function constantVector(type: ColumnType, value: Cell, rows: number): Vector {
  if (!isTextType(type)) return numberVector(type, new Float64Array(rows).fill(value as number));
  if (value === null) return { kind: 'text', type, dictionary: [], codes: new Uint32Array(rows).fill(NO_TEXT) };
  return { kind: 'text', type, dictionary: [value as string], codes: new Uint32Array(rows) };
}

/** One row's value: the type's null where it has none. */
export function cellAt(vector: Vector, row: number): Cell {
  if (vector.kind === 'number') return vector.values[row] ?? Number.NaN;
  return textAt(vector, row) ?? nullOf(vector.type);
}

export function textAt({ codes, dictionary }: TextVector, row: number): string | undefined {
  const code = codes[row] ?? NO_TEXT;
  return code === NO_TEXT ? undefined : dictionary[code];
}
