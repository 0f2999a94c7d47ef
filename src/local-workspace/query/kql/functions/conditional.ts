import type { ColumnType } from '../../../tables/column.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { cast } from '../scalar/cast.ts';
import { lift, retyped } from '../scalar/lift.ts';
import { asCondition, bindNot } from '../scalar/logic.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { type Cell, commonType, isNull, nullOf } from '../values/cell.ts';
import type { Call, ScalarFunction } from './function.ts';

/** Functions that choose (Kusto, "Scalar functions", conditional functions). A condition that is null does not hold. */
export const CONDITIONAL_FUNCTIONS: readonly ScalarFunction[] = [
  { name: 'iff', arity: [3, 3], bind: bindCase },
  { name: 'iif', arity: [3, 3], bind: bindCase },
  { name: 'case', arity: [3, 65], bind: bindCase },
  { name: 'coalesce', arity: [2, 64], bind: bindCoalesce },
  { name: 'not', arity: [1, 1], bind: ({ word, args }) => bindNot(asCondition(word, 'not()', args[0] as Scalar)) },
];

// Conditions and values in turn, and at the end the value when none holds. iff() is a case() of one.
function bindCase({ word, args }: Call): Scalar {
  if (args.length % 2 === 0)
    throw semanticProblem(word, `${word.text}() needs pairs of a condition and a value, and one value for the rest: an odd number of arguments.`, 'SEM0219');
  const last = args.length - 1;
  const values = oneType(
    word,
    args.filter((_, place) => place % 2 === 1 || place === last),
  );
  const conditions = args.filter((_, place) => place % 2 === 0 && place < last).map((arg) => asCondition(word, `${word.text}()`, arg));
  const type = (values[0] as Scalar).type;
  return lift(type, [...conditions, ...values], (...cells) => chosen(cells, conditions.length, type), 'seen');
}

function chosen(cells: readonly Cell[], conditions: number, type: ColumnType): Cell {
  let place = 0;
  while (place < conditions && cells[place] !== 1) place += 1;
  return cells[conditions + place] ?? nullOf(type);
}

function bindCoalesce({ word, args }: Call): Scalar {
  const values = oneType(word, args);
  const { type } = values[0] as Scalar;
  return lift(type, values, (...cells) => cells.find((cell) => !isNull(cell) && cell !== '') ?? nullOf(type), 'seen');
}

function oneType(word: Word, values: readonly Scalar[]): Scalar[] {
  const types = values.map(({ type }) => type);
  const common = commonType(types);
  if (!common)
    throw semanticProblem(word, `${word.text}() needs values of one type, but these are ${[...new Set(types)].join(' and ')}. Try adding explicit casts.`);
  return values.map((value) => (common === 'dynamic' ? cast(value, common) : retyped(value, common)));
}
