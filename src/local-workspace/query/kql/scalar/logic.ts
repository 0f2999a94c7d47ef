import type { NumberVector } from '../../../tables/vector.ts';
import { semanticProblem, type Word } from '../problem.ts';
import type { Batch } from '../vectors/batch.ts';
import { readAs } from './cast.ts';
import { lift } from './lift.ts';
import { columnsOf, constantScalar, type Scalar } from './scalar.ts';

/** `and`, `or` of conditions, in three values: false decides `and` and true decides `or` whatever else is null. */
export function bindLogic(operator: 'and' | 'or', operands: readonly Scalar[]): Scalar {
  const fold = operator === 'and' ? bothOf : eitherOf;
  if (operands.every(({ constant }) => constant)) return constantScalar('bool', operands.map(({ constant }) => constant?.value as number).reduce(fold));
  const evaluate = (batch: Batch): NumberVector => {
    const [first, ...others] = operands.map((operand) => operand.evaluate(batch) as NumberVector);
    const values = Float64Array.from((first as NumberVector).values);
    for (const other of others) {
      for (let row = 0; row < values.length; row += 1) values[row] = fold(values[row] as number, other.values[row] as number);
    }
    return { kind: 'number', type: 'bool', values };
  };
  return { type: 'bool', columns: columnsOf(operands), evaluate };
}

function bothOf(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return a + b === 2 ? 1 : Number.NaN;
}

function eitherOf(a: number, b: number): number {
  if (a === 1 || b === 1) return 1;
  return a + b === 0 ? 0 : Number.NaN;
}

/** A condition: a truth value, or a dynamic that holds one. A semantic problem for another type. */
export function asCondition(word: Word, where: string, scalar: Scalar): Scalar {
  const condition = readAs(scalar, 'bool');
  if (condition.type !== 'bool') throw semanticProblem(word, `${where} needs a condition that is true or false, but this is a ${scalar.type}.`);
  return condition;
}

/** The opposite; null stays null. */
export function bindNot(condition: Scalar): Scalar {
  return lift('bool', [condition], (cell) => 1 - (cell as number), 'seen');
}
