import { MAX_DEPTH } from '../limits.ts';
import { syntaxProblem } from '../problem.ts';
import { type Expression, partsOf } from './tree.ts';

/** Refuses an expression whose operators stand too deep in each other (`1+1+1…`): everything after the parser walks the tree by recursion. */
export function checkDepth(expression: Expression): Expression {
  let level: readonly Expression[] = [expression];
  for (let depth = 0; level.length > 0; depth += 1) {
    const [first] = level;
    if (depth > 2 * MAX_DEPTH && first)
      throw syntaxProblem(first.word, `an expression has more than ${2 * MAX_DEPTH} operators within each other; split it with extend`);
    level = level.flatMap(partsOf);
  }
  return expression;
}
