import type { Column } from '../../../tables/column.ts';
import { createJoin, type JoinKey } from '../operators/join.ts';
import { createProject } from '../operators/project.ts';
import type { Stage } from '../operators/stage.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { retyped } from '../scalar/lift.ts';
import { columnScalar } from '../scalar/scalar.ts';
import type { JoinCondition, Operator } from '../syntax/tree.ts';
import { isNumeric } from '../values/cell.ts';
import { columnPlace } from './projections.ts';

/** Finds the columns that must be equal. Semantic problems name a column that is missing on its side, or does not fit the other. */
export function bindJoin(left: Stage, right: Stage, { flavour, conditions }: Operator & { kind: 'join' }): Stage {
  const keys = conditions.map((condition) => keyOf(condition, left, right));
  return createJoin(left, sameNumbers(left, right, keys), keys, flavour);
}

function keyOf({ word, left, right }: JoinCondition, leftStage: Stage, rightStage: Stage): JoinKey {
  const key = { left: columnPlace(left, 'join', leftStage.columns), right: columnPlace(right, 'join', rightStage.columns) };
  checkTypes(word, typeAt(leftStage, key.left), typeAt(rightStage, key.right));
  return key;
}

function checkTypes(word: Word, left: Column['type'], right: Column['type']): void {
  if (left === 'dynamic' || right === 'dynamic')
    throw semanticProblem(word, `'join' operator: cannot join on a dynamic value. Please use an explicit cast such as tostring().`);
  if (left === right || (isNumeric(left) && isNumeric(right))) return;
  throw semanticProblem(word, `'join' operator: the key has the type ${left} on the left and ${right} on the right. Try adding an explicit cast.`);
}

function typeAt(stage: Stage, place: number): Column['type'] {
  return stage.columns[place]?.type ?? 'string';
}

// Numbers of any type are kept alike, so the right keys are looked up as what the left ones are.
function sameNumbers(left: Stage, right: Stage, keys: readonly JoinKey[]): Stage {
  const types = new Map(keys.map((key) => [key.right, typeAt(left, key.left)]));
  const differ = keys.some((key) => typeAt(left, key.left) !== typeAt(right, key.right));
  if (!differ) return right;
  return createProject(
    right,
    right.columns.map(({ name, type }, place) => ({ name, scalar: retyped(columnScalar(type, place), types.get(place) ?? type) })),
  );
}
