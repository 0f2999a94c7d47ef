import type { Column, ColumnType } from '../../../tables/column.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { readAs } from '../scalar/cast.ts';
import { asText } from '../scalar/comparison.ts';
import { type CellFunction, lift } from '../scalar/lift.ts';
import type { Scalar } from '../scalar/scalar.ts';
import { type Cell, isNumeric } from '../values/cell.ts';

/** One use of a function in a query. */
export interface Call {
  readonly word: Word;
  readonly args: readonly Scalar[];
  readonly now: number;
  /** What the rows have at this place. */
  readonly columns: readonly Column[];
}

/** A scalar function of the language. */
export interface ScalarFunction {
  readonly name: string;
  /** How many arguments it takes, at least and at most. */
  readonly arity: readonly [least: number, most: number];
  /** An unnamed column that it makes is called like its first argument (`toint(n)` is `n`). */
  readonly namedAfterFirst?: boolean;
  /** Throws a semantic problem where the arguments do not fit. Their number is right already. */
  bind(call: Call): Scalar;
}

/** What an argument may be. `text`: string, GUID or dynamic · `number`: int, long, real or dynamic · `any`: no conversion. */
export type Kind = 'text' | 'number' | 'bool' | 'datetime' | 'timespan' | 'dynamic' | 'any';

interface Shape {
  readonly takes: readonly Kind[];
  /** How many of the last ones may be left out. */
  readonly optional?: number;
  readonly gives: ColumnType | ((types: readonly ColumnType[]) => ColumnType);
  readonly named?: boolean;
  readonly nulls?: 'result' | 'seen';
}

/** A function whose arguments and result have types that a table can say. */
export function define(name: string, shape: Shape, call: (...cells: Cell[]) => Cell): ScalarFunction {
  const { takes, optional = 0, gives, nulls = 'result' } = shape;
  return {
    name,
    arity: [takes.length - optional, takes.length],
    ...(shape.named ? { namedAfterFirst: true } : {}),
    bind({ word, args }) {
      const coerced = args.map((arg, place) => coerce(word, takes[place] ?? 'any', arg));
      const type = typeof gives === 'function' ? gives(coerced.map((arg) => arg.type)) : gives;
      return lift(type, coerced, call as CellFunction, nulls);
    },
  };
}

/** An argument as a function of this kind takes it. */
export function coerce(word: Word, kind: Kind, arg: Scalar): Scalar {
  if (kind === 'any') return arg;
  if (kind === 'text') return asText(word, arg);
  if (kind === 'number') return numeric(word, arg);
  const read = readAs(arg, kind);
  if (read.type !== kind) throw semanticProblem(word, `${word.text}() needs a value of the type ${kind} here, but this is a ${arg.type}.`);
  return read;
}

function numeric(word: Word, arg: Scalar): Scalar {
  const read = readAs(arg, 'real');
  if (!isNumeric(read.type)) throw semanticProblem(word, `${word.text}() needs a number here, but this is a ${arg.type}. Try adding toreal().`);
  return read;
}

/** The value of an argument that must be the same for every row. */
export function constantOf({ word, args }: Call, place: number, what: string): Cell {
  const constant = args[place]?.constant;
  if (!constant) throw semanticProblem(word, `${word.text}() needs ${what} that is the same for every row.`);
  return constant.value;
}
