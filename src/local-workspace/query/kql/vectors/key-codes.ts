import type { ColumnType } from '../../../tables/column.ts';
import { NO_TEXT, type Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { isTextType, type NumberType, type TextType } from '../values/cell.ts';
import { growableNumbers } from './growable.ts';
import { createPairIndex } from './pair-index.ts';
import { createTextCodes } from './text-codes.ts';

/** Says that a key was never entered. */
export const UNKNOWN_KEY = 0xffff_ffff;

/** Numbers the different values of one key from 0, in the order they first come. Null is a value like others; it is the empty text for strings. */
export interface KeyCodes {
  encode(vector: Vector, rows: number): Uint32Array;
  /** Like `encode`, entering nothing: `UNKNOWN_KEY` for what was never entered. */
  look(vector: Vector, rows: number): Uint32Array;
  /** The values that these codes stand for. */
  decode(codes: Uint32Array): Vector;
}

export function createKeyCodes(type: ColumnType, budget: Budget): KeyCodes {
  return isTextType(type) ? textKeys(type, budget) : numberKeys(type, budget);
}

function textKeys(type: TextType, budget: Budget): KeyCodes {
  const texts = createTextCodes(budget);
  // A null GUID is kept under a text that no GUID has; in a join it finds nothing.
  const nullText = type === 'string' ? '' : '\0null';
  let nullCode = NO_TEXT;
  const missing = (): number => {
    const code = texts.enter(nullText);
    if (type !== 'string') nullCode = code;
    return code;
  };
  const restored = (codes: Uint32Array): Uint32Array => (nullCode === NO_TEXT ? codes : codes.map((code) => (code === nullCode ? NO_TEXT : code)));
  return {
    encode: (vector, rows) => (vector.kind === 'text' ? texts.encode(vector, rows, missing) : new Uint32Array(rows)),
    look: (vector, rows) => (vector.kind === 'text' ? texts.look(vector, rows, nullText, UNKNOWN_KEY) : new Uint32Array(rows).fill(UNKNOWN_KEY)),
    decode: (codes) => ({ kind: 'text', type, dictionary: texts.texts, codes: restored(codes) }),
  };
}

function numberKeys(type: NumberType, budget: Budget): KeyCodes {
  const index = createPairIndex(budget);
  const kept = growableNumbers(budget);
  return {
    encode: (vector, rows) =>
      eachNumber(vector, rows, (low, high, value) => {
        const before = index.size;
        const code = index.enter(low, high);
        if (index.size > before) kept.reserve(index.size)[code] = value;
        return code;
      }),
    look: (vector, rows) => eachNumber(vector, rows, (low, high) => index.find(low, high) >>> 0),
    decode(codes) {
      const all = kept.reserve(index.size);
      return { kind: 'number', type, values: Float64Array.from(codes, (code) => all[code] as number) };
    },
  };
}

// A number is known by its 64 bits; -0 is 0, and every NaN is one. Runs of one value, as times cut to hours have, are looked up once.
function eachNumber(vector: Vector, rows: number, codeOf: (low: number, high: number, value: number) => number): Uint32Array {
  const codes = new Uint32Array(rows);
  if (vector.kind !== 'number') return codes;
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  let last = 0;
  let lastCode = -1;
  for (let row = 0; row < rows; row += 1) {
    const value = vector.values[row] as number;
    if (lastCode < 0 || value !== last) {
      number[0] = Number.isNaN(value) ? Number.NaN : value + 0;
      lastCode = codeOf(words[0] as number, words[1] as number, value);
      last = value;
    }
    codes[row] = lastCode;
  }
  return codes;
}
