import type { ColumnType } from '../../../tables/column.ts';
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../../../tables/vector.ts';
import { type Cell, isNull, isTextType, type NumberType, nullOf } from '../values/cell.ts';
import { type Batch, cellAt, constantVector, numberVector } from '../vectors/batch.ts';
import { createVectorBuilder } from '../vectors/vector-builder.ts';
import { columnsOf, constantScalar, type Scalar } from './scalar.ts';

/** A function of single values. It sees nulls only where it is lifted so. */
export type CellFunction = (...cells: readonly Cell[]) => Cell;

/**
 * Makes a function of single values one of vectors. `result`: a null among the arguments makes the result null · `seen`: the function is given nulls.
 * A function of one text column is computed once for each text of the dictionary, not for each row; of constants, once.
 */
export function lift(type: ColumnType, args: readonly Scalar[], call: CellFunction, nulls: 'result' | 'seen' = 'result'): Scalar {
  const apply = nulls === 'seen' ? call : guarded(call, type);
  if (args.every(({ constant }) => constant !== undefined)) return constantScalar(type, apply(...args.map(({ constant }) => constant?.value ?? null)));
  return { type, columns: columnsOf(args), evaluate: (batch) => evaluate(type, args, apply, batch) };
}

function guarded(call: CellFunction, type: ColumnType): CellFunction {
  const none = nullOf(type);
  return (...cells) => {
    for (const cell of cells) if (isNull(cell)) return none;
    return call(...cells);
  };
}

function evaluate(type: ColumnType, args: readonly Scalar[], apply: CellFunction, batch: Batch): Vector {
  const varying = args.findIndex(({ constant }) => constant === undefined);
  const single = args.every(({ constant }, place) => place === varying || constant !== undefined);
  if (single) return evaluateOne(type, (args[varying] as Scalar).evaluate(batch), withOne(args, varying, apply), batch.rows);
  const vectors = args.map((arg) => arg.evaluate(batch));
  const [left, right] = vectors;
  if (vectors.length === 2 && left?.kind === 'number' && right?.kind === 'number' && !isTextType(type)) return evaluatePair(type, left, right, apply);
  return evaluateRows(type, vectors, apply, batch.rows);
}

function withOne(args: readonly Scalar[], varying: number, apply: CellFunction): (cell: Cell) => Cell {
  const constants = args.map(({ constant }) => constant?.value ?? null);
  const [first, second] = constants;
  if (constants.length === 1) return apply;
  if (constants.length === 2) return varying === 0 ? (cell) => apply(cell, second as Cell) : (cell) => apply(first as Cell, cell);
  return (cell) => apply(...constants.map((constant, place) => (place === varying ? cell : constant)));
}

function evaluateOne(type: ColumnType, vector: Vector, apply: (cell: Cell) => Cell, rows: number): Vector {
  if (vector.kind === 'text') return evaluateTexts(type, vector, apply, rows);
  if (isTextType(type)) return evaluateRows(type, [vector], apply as CellFunction, rows);
  const { values } = vector;
  const results = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) results[row] = apply(values[row] as number) as number;
  return numberVector(type, results);
}

function evaluatePair(type: NumberType, left: NumberVector, right: NumberVector, apply: CellFunction): Vector {
  const results = new Float64Array(left.values.length);
  for (let row = 0; row < results.length; row += 1) results[row] = apply(left.values[row] as number, right.values[row] as number) as number;
  return numberVector(type, results);
}

function evaluateRows(type: ColumnType, vectors: readonly Vector[], apply: CellFunction, rows: number): Vector {
  const builder = createVectorBuilder(type, rows);
  const cells: Cell[] = vectors.map(() => null);
  for (let row = 0; row < rows; row += 1) {
    for (let place = 0; place < vectors.length; place += 1) cells[place] = cellAt(vectors[place] as Vector, row);
    builder.set(row, apply(...cells));
  }
  return builder.build();
}

function evaluateTexts(type: ColumnType, vector: TextVector, apply: (cell: Cell) => Cell, rows: number): Vector {
  if (vector.dictionary.length > rows * 2) return evaluateRows(type, [vector], apply as CellFunction, rows);
  return isTextType(type) ? textsOfTexts(type, vector, apply, rows) : numbersOfTexts(type, vector, apply, rows);
}

function numbersOfTexts(type: NumberType, { codes, dictionary, type: from }: TextVector, apply: (cell: Cell) => Cell, rows: number): Vector {
  const results = new Float64Array(rows);
  const known = new Uint8Array(dictionary.length);
  const values = new Float64Array(dictionary.length);
  let ofNull: number | undefined;
  for (let row = 0; row < rows; row += 1) {
    const code = codes[row] as number;
    if (code === NO_TEXT) {
      ofNull ??= apply(nullOf(from)) as number;
      results[row] = ofNull;
      continue;
    }
    if (known[code] === 0) {
      known[code] = 1;
      values[code] = apply(dictionary[code] as string) as number;
    }
    results[row] = values[code] as number;
  }
  return numberVector(type, results);
}

function textsOfTexts(type: ColumnType, { codes, dictionary, type: from }: TextVector, apply: (cell: Cell) => Cell, rows: number): Vector {
  const builder = createVectorBuilder(type, rows);
  const known = new Map<number, Cell>();
  for (let row = 0; row < rows; row += 1) {
    const code = codes[row] as number;
    let text = known.get(code);
    if (text === undefined) {
      text = apply(code === NO_TEXT ? nullOf(from) : (dictionary[code] as string));
      known.set(code, text);
    }
    builder.set(row, text);
  }
  return builder.build();
}

/** The same values under another type that is kept alike (a long as a real, a GUID as a string). */
export function retyped(scalar: Scalar, type: ColumnType): Scalar {
  if (scalar.type === type) return scalar;
  if (scalar.constant) return constantScalar(type, scalar.constant.value ?? nullOf(type));
  return { type, columns: scalar.columns, evaluate: (batch) => withType(scalar.evaluate(batch), type) };
}

function withType(vector: Vector, type: ColumnType): Vector {
  if (vector.kind === 'number') return isTextType(type) ? constantVector(type, nullOf(type), vector.values.length) : numberVector(type, vector.values);
  return isTextType(type)
    ? { kind: 'text', type, dictionary: vector.dictionary, codes: vector.codes }
    : constantVector(type, nullOf(type), vector.codes.length);
}
