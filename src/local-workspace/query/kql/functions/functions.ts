import { CONDITIONAL_FUNCTIONS } from './conditional.ts';
import { CONVERSION_FUNCTIONS } from './conversion.ts';
import { DYNAMIC_FUNCTIONS } from './dynamic.ts';
import type { ScalarFunction } from './function.ts';
import { NUMBER_FUNCTIONS } from './number.ts';
import { TEXT_FUNCTIONS } from './text.ts';
import { TIME_FUNCTIONS } from './time.ts';

/** Every scalar function of the language, by name. */
export const SCALAR_FUNCTIONS: ReadonlyMap<string, ScalarFunction> = new Map(
  [...TEXT_FUNCTIONS, ...NUMBER_FUNCTIONS, ...TIME_FUNCTIONS, ...CONVERSION_FUNCTIONS, ...CONDITIONAL_FUNCTIONS, ...DYNAMIC_FUNCTIONS].map((one) => [
    one.name,
    one,
  ]),
);
