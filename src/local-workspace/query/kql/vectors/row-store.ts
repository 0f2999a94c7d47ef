import type { Column } from '../../../tables/column.ts';
import { NO_TEXT, type Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { isTextType, type NumberType, type TextType } from '../values/cell.ts';
import { type Batch, createBatch, pickFrom, sliceOf } from './batch.ts';
import { growableCodes, growableNumbers } from './growable.ts';
import { createTextCodes } from './text-codes.ts';

/** Rows of many batches, kept column by column. Columns that nobody demands are not kept. */
export interface RowStore {
  readonly rows: number;
  append(batch: Batch): void;
  /** All values of a column so far. */
  column(index: number): Vector;
  /** These rows in this order. */
  pick(rows: Uint32Array): Batch;
  /** All rows. */
  all(): Batch;
}

interface ColumnStore {
  append(vector: Vector, at: number, rows: number): void;
  vector(rows: number): Vector;
}

export function createRowStore(columns: readonly Column[], kept: ReadonlySet<number>, budget: Budget): RowStore {
  const stores = columns.map(({ type }, index) => (kept.has(index) ? createColumnStore(type, budget) : undefined));
  let rows = 0;
  const column = (index: number): Vector => {
    const store = stores[index];
    if (!store) throw new Error(`column ${index} was not demanded`);
    return store.vector(rows);
  };
  return {
    get rows() {
      return rows;
    },
    append(batch) {
      for (const [index, store] of stores.entries()) store?.append(batch.column(index), rows, batch.rows);
      rows += batch.rows;
    },
    column,
    pick: (picked) => createBatch(picked.length, (index) => pickFrom(column(index), picked)),
    all: () => createBatch(rows, column),
  };
}

function createColumnStore(type: Column['type'], budget: Budget): ColumnStore {
  return isTextType(type) ? textStore(type, budget) : numberStore(type, budget);
}

function numberStore(type: NumberType, budget: Budget): ColumnStore {
  const values = growableNumbers(budget);
  return {
    append(vector, at, rows) {
      if (vector.kind === 'number') values.reserve(at + rows).set(vector.values.subarray(0, rows), at);
    },
    vector: (rows) => ({ kind: 'number', type, values: values.reserve(rows).subarray(0, rows) }),
  };
}

function textStore(type: TextType, budget: Budget): ColumnStore {
  const texts = createTextCodes(budget);
  const codes = growableCodes(budget);
  return {
    append(vector, at, rows) {
      if (vector.kind === 'text') codes.reserve(at + rows).set(texts.encode(vector, rows, noText), at);
    },
    vector: (rows) => ({ kind: 'text', type, dictionary: texts.texts, codes: codes.reserve(rows).subarray(0, rows) }),
  };
}

function noText(): number {
  return NO_TEXT;
}

/** A batch cut into batches of at most `size` rows. */
export function* slices(batch: Batch, size: number): Generator<Batch> {
  if (batch.rows <= size) {
    if (batch.rows > 0) yield batch;
    return;
  }
  for (let from = 0; from < batch.rows; from += size) {
    const to = Math.min(from + size, batch.rows);
    yield createBatch(to - from, (index) => sliceOf(batch.column(index), from, to));
  }
}
