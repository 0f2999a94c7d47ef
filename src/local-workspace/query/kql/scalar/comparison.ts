import type { ColumnType } from '../../../tables/column.ts';
import type { TimeRange } from '../../result.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { type Cell, isNull, isNumeric, isTextType } from '../values/cell.ts';
import { parseGuid } from '../values/guid.ts';
import { readAs } from './cast.ts';
import { type CellFunction, lift, retyped } from './lift.ts';
import { constantScalar, type Scalar } from './scalar.ts';

/** `== != < <= > >=`. A semantic problem where the types cannot be compared. */
export function bindComparison(word: Word, operator: string, left: Scalar, right: Scalar): Scalar {
  const [a, b] = comparable(word, left, right);
  const scalar = lift('bool', [a, b], operator === '==' ? equal : operator === '!=' ? different : inOrder(operator), 'seen');
  const within = rangeOf(operator, a, b) ?? rangeOf(MIRRORED[operator] ?? operator, b, a);
  return within ? { ...scalar, within } : scalar;
}

/** Both sides as what they are compared as. */
export function comparable(word: Word, left: Scalar, right: Scalar): readonly [Scalar, Scalar] {
  if (left.type === 'guid' && right.type === 'string') return [retyped(left, 'string'), lowered(right)];
  if (left.type === 'string' && right.type === 'guid') return [lowered(left), retyped(right, 'string')];
  const [a, b] = [readAs(left, right.type), readAs(right, left.type)];
  if (a.type === b.type || (isCounted(a.type) && isCounted(b.type))) return [a, b];
  throw semanticProblem(word, `Cannot compare values of types ${left.type} and ${right.type}. Try adding explicit casts.`, 'SEM0064');
}

function isCounted(type: ColumnType): boolean {
  return isNumeric(type) || type === 'bool';
}

// A text that is a GUID in another spelling is the same GUID.
function lowered(text: Scalar): Scalar {
  if (text.constant) return constantScalar('string', parseGuid(text.constant.value as string) ?? text.constant.value);
  return text;
}

// Kusto, "Null values": two nulls compare to null, a null and a value are different.
function equal(a: Cell, b: Cell): number {
  if (a === b) return a === null ? Number.NaN : 1;
  return isNull(a) && isNull(b) ? Number.NaN : 0;
}

function different(a: Cell, b: Cell): number {
  const same = equal(a, b);
  return Number.isNaN(same) ? same : 1 - same;
}

function inOrder(operator: string): CellFunction {
  const holds = ORDERS[operator] as (a: number, b: number) => boolean;
  return (a, b) => {
    if (isNull(a as Cell) || isNull(b as Cell)) return Number.NaN;
    return Number(holds(a as number, b as number));
  };
}

const ORDERS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const MIRRORED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

// What a comparison of a time with a constant says about where its rows are; a little too much is no harm.
function rangeOf(operator: string, column: Scalar, constant: Scalar): Scalar['within'] {
  const value = constant.constant?.value;
  if (column.column === undefined || column.type !== 'datetime' || typeof value !== 'number' || Number.isNaN(value)) return undefined;
  const range = RANGES[operator]?.(value);
  return range && { column: column.column, range };
}

const RANGES: Readonly<Record<string, (value: number) => TimeRange>> = {
  '==': (value) => ({ from: Math.floor(value), to: Math.floor(value) + 1 }),
  '<': (value) => ({ to: Math.ceil(value) }),
  '<=': (value) => ({ to: Math.floor(value) + 1 }),
  '>': (value) => ({ from: Math.floor(value) }),
  '>=': (value) => ({ from: Math.floor(value) }),
};

/** `=~` and `!~`: texts without regard to case. */
export function bindSameText(word: Word, operator: '=~' | '!~', left: Scalar, right: Scalar): Scalar {
  const [a, b] = [asText(word, left), asText(word, right)];
  const wanted = operator === '=~';
  return lift('bool', [a, b], (x, y) => Number(((x as string).toLowerCase() === (y as string).toLowerCase()) === wanted), 'seen');
}

/** A string, a GUID or a dynamic as a string; a semantic problem for other types. */
export function asText(word: Word, scalar: Scalar): Scalar {
  if (scalar.type === 'string') return scalar;
  if (scalar.type === 'guid') return retyped(scalar, 'string');
  if (isTextType(scalar.type)) return readAs(scalar, 'string');
  throw semanticProblem(word, `The operator ${word.text} needs texts, but this is a ${scalar.type}. Try adding tostring().`);
}
