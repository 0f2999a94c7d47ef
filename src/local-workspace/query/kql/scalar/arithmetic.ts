import type { ColumnType } from '../../../tables/column.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { isNumeric } from '../values/cell.ts';
import { readAs } from './cast.ts';
import { lift } from './lift.ts';
import type { Scalar } from './scalar.ts';

type Operate = (a: number, b: number) => number;

const REALS: Readonly<Record<string, Operate>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': modulo,
};

// Whole numbers divide to whole numbers, towards 0; by 0 is null.
const WHOLES: Readonly<Record<string, Operate>> = {
  ...REALS,
  '/': (a, b) => (b === 0 ? Number.NaN : Math.trunc(a / b)),
};

/** Never below 0, whatever the signs (Kusto, "Numerical operators"). By 0 is null. */
function modulo(a: number, b: number): number {
  const size = Math.abs(b);
  return a - size * Math.floor(a / size);
}

/** `+ - * / %` of numbers, times and spans of time. Null where either side is. A semantic problem where the types do not fit. */
export function bindArithmetic(word: Word, left: Scalar, right: Scalar): Scalar {
  const [a, b] = [readAs(left, right.type === 'dynamic' ? 'real' : right.type), readAs(right, left.type === 'dynamic' ? 'real' : left.type)];
  const type = resultType(word.text, a.type, b.type);
  if (!type) {
    throw semanticProblem(word, `The operator ${word.text} cannot be used with the types ${left.type} and ${right.type}.`);
  }
  const whole = isNumeric(a.type) && isNumeric(b.type) && type !== 'real';
  return lift(type, [a, b], (whole ? WHOLES : REALS)[word.text] as (...cells: readonly unknown[]) => number, 'seen');
}

function resultType(operator: string, a: ColumnType, b: ColumnType): ColumnType | undefined {
  if (isNumeric(a) && isNumeric(b)) return a === 'real' || b === 'real' ? 'real' : 'long';
  const types = `${kindOf(a)} ${operator} ${kindOf(b)}`;
  return Object.hasOwn(TIMES, types) ? TIMES[types] : undefined;
}

function kindOf(type: ColumnType): string {
  return isNumeric(type) ? 'number' : type;
}

const TIMES: Readonly<Record<string, ColumnType>> = {
  'datetime - datetime': 'timespan',
  'datetime + timespan': 'datetime',
  'timespan + datetime': 'datetime',
  'datetime - timespan': 'datetime',
  'timespan + timespan': 'timespan',
  'timespan - timespan': 'timespan',
  'timespan / timespan': 'real',
  'timespan % timespan': 'timespan',
  'timespan * number': 'timespan',
  'number * timespan': 'timespan',
  'timespan / number': 'timespan',
};

/** A minus before a number or a span of time. */
export function bindNegative(word: Word, operand: Scalar): Scalar {
  const value = operand.type === 'dynamic' ? readAs(operand, 'real') : operand;
  if (!isNumeric(value.type) && value.type !== 'timespan') throw semanticProblem(word, `A minus cannot stand before a value of the type ${operand.type}.`);
  return lift(value.type === 'int' ? 'long' : value.type, [value], (cell) => -(cell as number), 'seen');
}
