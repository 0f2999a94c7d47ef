import type { ColumnType } from '../../../tables/column.ts';
import { cast } from '../scalar/cast.ts';
import { lift } from '../scalar/lift.ts';
import { constantScalar, type Scalar } from '../scalar/scalar.ts';
import { type Cell, isNull } from '../values/cell.ts';
import { readDynamic } from '../values/dynamic.ts';
import type { ScalarFunction } from './function.ts';

const TARGETS: Readonly<Record<string, ColumnType>> = {
  tostring: 'string',
  toint: 'int',
  tolong: 'long',
  toreal: 'real',
  todouble: 'real',
  tobool: 'bool',
  toboolean: 'bool',
  todatetime: 'datetime',
  totimespan: 'timespan',
  toguid: 'guid',
};

/** Functions that make another type of a value, and that ask what a value is (Kusto, "Scalar functions", conversion functions). */
export const CONVERSION_FUNCTIONS: readonly ScalarFunction[] = [
  ...Object.entries(TARGETS).map(
    ([name, type]): ScalarFunction => ({ name, arity: [1, 1], namedAfterFirst: true, bind: ({ args }) => cast(args[0] as Scalar, type) }),
  ),
  asking('isnull', (cell, type) => type !== 'string' && isNull(cell)),
  asking('isnotnull', (cell, type) => type === 'string' || !isNull(cell)),
  asking('isempty', (cell) => cell === '' || isNull(cell)),
  asking('isnotempty', (cell) => cell !== '' && !isNull(cell)),
  { name: 'gettype', arity: [1, 1], bind: ({ args }) => bindType(args[0] as Scalar) },
];

function asking(name: string, holds: (cell: Cell, type: ColumnType) => boolean): ScalarFunction {
  return {
    name,
    arity: [1, 1],
    bind({ args }) {
      const { type } = args[0] as Scalar;
      return lift('bool', args, (cell) => Number(holds(cell as Cell, type)), 'seen');
    },
  };
}

function bindType(value: Scalar): Scalar {
  return value.type === 'dynamic' ? lift('string', [value], (cell) => dynamicType(cell as string | null), 'seen') : constantScalar('string', value.type);
}

function dynamicType(text: string | null): string {
  const value = readDynamic(text);
  if (value === undefined || value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'long' : 'double';
  return typeof value === 'object' ? 'dictionary' : typeof value === 'boolean' ? 'bool' : 'string';
}
