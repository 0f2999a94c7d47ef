import type { ColumnType } from '../../../tables/column.ts';
import { semanticProblem } from '../problem.ts';
import { lift, retyped } from '../scalar/lift.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { type Cell, commonType, isNull, isNumeric } from '../values/cell.ts';
import { type Call, define, type ScalarFunction } from './function.ts';

type Real = (value: number) => number;

const REALS: Readonly<Record<string, Real>> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  exp2: (value) => 2 ** value,
  exp10: (value) => 10 ** value,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
};

/** Functions of numbers (Kusto, "Scalar functions", mathematical functions). What has no number (a root below 0) is null. */
export const NUMBER_FUNCTIONS: readonly ScalarFunction[] = [
  ...Object.entries(REALS).map(([name, real]) => define(name, { takes: ['number'], gives: 'real', named: true }, (value) => real(value as number))),
  define('pow', { takes: ['number', 'number'], gives: 'real', named: true }, (base, exponent) => (base as number) ** (exponent as number)),
  define('ceiling', { takes: ['number'], gives: asLong, named: true }, (value) => Math.ceil(value as number)),
  define('round', { takes: ['number', 'number'], optional: 1, gives: ([type]) => (type === 'real' ? 'real' : 'long'), named: true }, (value, digits = 0) =>
    round(value as number, digits as number),
  ),
  define('sign', { takes: ['number'], gives: 'real' }, (value) => Math.sign(value as number)),
  define('isnan', { takes: ['number'], gives: 'bool', nulls: 'seen' }, () => 0),
  define('isinf', { takes: ['number'], gives: 'bool', nulls: 'seen' }, (value) => Number(Math.abs(value as number) === Number.POSITIVE_INFINITY)),
  define('isfinite', { takes: ['number'], gives: 'bool', nulls: 'seen' }, (value) => Number(Number.isFinite(value))),
  { name: 'abs', arity: [1, 1], namedAfterFirst: true, bind: bindAbs },
  { name: 'bin', arity: [2, 2], namedAfterFirst: true, bind: bindBin },
  { name: 'floor', arity: [1, 2], namedAfterFirst: true, bind: bindFloor },
  { name: 'min_of', arity: [2, 64], bind: (call) => bindBest(call, (a, b) => a < b) },
  { name: 'max_of', arity: [2, 64], bind: (call) => bindBest(call, (a, b) => a > b) },
];

function asLong([type]: readonly ColumnType[]): ColumnType {
  return type === 'int' ? 'int' : type === 'long' ? 'long' : 'real';
}

function round(value: number, digits: number): number {
  const scale = 10 ** Math.trunc(digits);
  const scaled = value * scale;
  if (!Number.isFinite(scaled) || scale === 0) return scale === 0 ? 0 : value;
  // Halves go away from 0; 2.15 is a half for people although it lies below one in binary.
  return (Math.sign(scaled) * Math.round(Math.abs(scaled) + Math.abs(scaled) * Number.EPSILON)) / scale;
}

function bindAbs({ word, args }: Call): Scalar {
  const [arg] = args as [Scalar];
  const value = arg.type === 'dynamic' ? retypedReal(arg) : arg;
  if (!isNumeric(value.type) && value.type !== 'timespan') throw semanticProblem(word, `abs() needs a number or a timespan, but this is a ${arg.type}.`);
  return lift(value.type, [value], (cell) => Math.abs(cell as number));
}

function retypedReal(arg: Scalar): Scalar {
  return lift('real', [arg], (cell) => Number(cell));
}

/** `bin(value, size)`: the multiple of `size` at or below. Null for a size of 0 or less. */
function bindBin({ word, args }: Call): Scalar {
  const [value, size] = args as [Scalar, Scalar];
  const type = binType(value.type, size.type);
  if (!type) {
    throw semanticProblem(
      word,
      `${word.text}() cannot cut values of the type ${value.type} into pieces of the type ${size.type}; a datetime is cut by a timespan such as 1h.`,
    );
  }
  return lift(type, [value, size], (cell, piece) => binOf(cell as number, piece as number), 'seen');
}

function binType(value: ColumnType, size: ColumnType): ColumnType | undefined {
  if (isNumeric(value) && isNumeric(size)) return value === 'real' || size === 'real' ? 'real' : value;
  return (value === 'datetime' || value === 'timespan') && size === 'timespan' ? value : undefined;
}

function binOf(value: number, size: number): number {
  return size > 0 ? Math.floor(value / size) * size : Number.NaN;
}

// floor() is bin(); with one argument it cuts to whole numbers, as people expect.
function bindFloor(call: Call): Scalar {
  const [value, size] = call.args;
  if (size !== undefined || value === undefined) return bindBin(call);
  if (!isNumeric(value.type)) throw semanticProblem(call.word, `floor() of one value needs a number, but this is a ${value.type}.`);
  return lift(value.type, [value], (cell) => Math.floor(cell as number));
}

function bindBest({ word, args }: Call, better: (a: number, b: number) => boolean): Scalar {
  const type = commonType(args.map((arg) => arg.type));
  if (type === undefined || type === 'dynamic' || type === 'string') throw semanticProblem(word, `${word.text}() needs numbers or times of one type.`);
  return lift(
    type,
    args.map((arg) => retyped(arg, type)),
    (...cells) => best(cells, better),
    'seen',
  );
}

function best(cells: readonly Cell[], better: (a: number, b: number) => boolean): Cell {
  const values = cells.filter((cell) => !isNull(cell)) as number[];
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => (better(b, a) ? b : a));
}
