import { lift } from '../scalar/lift.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { Cell } from '../values/cell.ts';
import { parseAsDynamic } from '../values/convert.ts';
import { readDynamic, writeDynamic } from '../values/dynamic.ts';
import { define, type ScalarFunction } from './function.ts';

/** Functions of dynamic values (Kusto, "Scalar functions", dynamic functions). */
export const DYNAMIC_FUNCTIONS: readonly ScalarFunction[] = [
  ...['parse_json', 'todynamic', 'toobject'].map(parsing),
  define('array_length', { takes: ['dynamic'], gives: 'long' }, (text) => {
    const value = readDynamic(text as string);
    return Array.isArray(value) ? value.length : Number.NaN;
  }),
  define('bag_keys', { takes: ['dynamic'], gives: 'dynamic' }, (text) => {
    const value = readDynamic(text as string);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? writeDynamic(Object.keys(value)) : null;
  }),
];

function parsing(name: string): ScalarFunction {
  return {
    name,
    arity: [1, 1],
    namedAfterFirst: true,
    bind({ args }) {
      const [arg] = args as [Scalar];
      return arg.type === 'dynamic' ? arg : lift('dynamic', [arg], (cell) => parseAsDynamic(cell as Cell, arg.type), 'seen');
    },
  };
}
