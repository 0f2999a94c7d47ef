import { NO_TEXT, type Vector } from '../../../tables/vector.ts';
import type { JsonCell } from '../../result.ts';
import { datetimeCell } from './datetime.ts';
import { timespanText } from './timespan.ts';

// What a number, a truth value or a time takes as JSON, about.
const NUMBER_BYTES = 8;
const TIME_BYTES = 26;

/** Reads the cells of a vector as the Query API gives them. `bytes` is what a row's cell takes as JSON, exact for texts. */
export interface CellReader {
  cell(row: number): JsonCell;
  bytes(row: number): number;
}

export function createCellReader(vector: Vector): CellReader {
  if (vector.kind === 'text') return textReader(vector.dictionary, vector.codes, vector.type === 'string' ? '' : null);
  const { values, type } = vector;
  const write = WRITERS[type];
  const bytes = type === 'datetime' || type === 'timespan' ? TIME_BYTES : NUMBER_BYTES;
  return {
    cell(row) {
      const value = values[row] ?? Number.NaN;
      return Number.isNaN(value) ? null : write(value);
    },
    bytes: () => bytes,
  };
}

const WRITERS: Readonly<Record<'int' | 'long' | 'real' | 'bool' | 'datetime' | 'timespan', (value: number) => JsonCell>> = {
  int: writeNumber,
  long: writeNumber,
  real: writeNumber,
  bool: (value) => value === 1,
  datetime: datetimeCell,
  timespan: timespanText,
};

// JSON has no infinity; the service writes the word.
function writeNumber(value: number): JsonCell {
  if (Number.isFinite(value)) return value === 0 ? 0 : value;
  return value > 0 ? 'Infinity' : '-Infinity';
}

function textReader(dictionary: readonly string[], codes: Uint32Array, missing: JsonCell): CellReader {
  const sizes = new Map<number, number>();
  return {
    cell(row) {
      const code = codes[row] ?? NO_TEXT;
      return code === NO_TEXT ? missing : (dictionary[code] ?? missing);
    },
    bytes(row) {
      const code = codes[row] ?? NO_TEXT;
      const known = sizes.get(code);
      if (known !== undefined) return known;
      const size = Buffer.byteLength(JSON.stringify(dictionary[code] ?? '')) + 1;
      sizes.set(code, size);
      return size;
    },
  };
}
