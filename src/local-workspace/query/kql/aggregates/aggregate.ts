import type { Column, ColumnType } from '../../../tables/column.ts';
import type { Vector } from '../../../tables/vector.ts';
import type { Budget } from '../budget.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { derivedName } from '../scalar/name.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { Expression } from '../syntax/tree.ts';
import type { Batch } from '../vectors/batch.ts';

/** Gathers rows, group by group. Groups are numbered from 0; new ones may come with every batch. */
export interface Accumulator {
  /** `groups` has a batch's rows' groups, all below `count`. */
  add(batch: Batch, groups: Uint32Array, count: number): void;
  /** The results of all groups, one vector for each output. */
  finish(count: number): Vector[];
}

/** An aggregate whose arguments have a meaning. */
export interface Aggregate {
  /** What it makes, and what the columns are called when nobody says. */
  readonly outputs: readonly Column[];
  readonly columns: ReadonlySet<number>;
  start(budget: Budget): Accumulator;
}

/** One argument of an aggregate: its meaning and its text's tree. */
export interface Argument {
  readonly scalar: Scalar;
  readonly expression: Expression;
}

/** One use of an aggregate. */
export interface AggregateCall {
  readonly word: Word;
  readonly args: readonly Argument[];
  /** What `*` stands for: the columns that are not grouped by. */
  readonly others: readonly Argument[];
}

export interface AggregateFunction {
  readonly name: string;
  readonly arity: readonly [least: number, most: number];
  bind(call: AggregateCall): Aggregate;
}

/** The name of a result: `sum_n`, or `sum_` when the argument has no name. */
export function resultName(prefix: string, argument: Argument | undefined): string {
  const { expression } = argument ?? {};
  const named = expression?.kind === 'name' || expression?.kind === 'member' || expression?.kind === 'element';
  return `${prefix}_${(named && derivedName(expression)) || ''}`;
}

/** The argument at a place, which must be there. */
export function argumentAt({ args, word }: AggregateCall, place: number): Argument {
  const argument = args[place];
  if (!argument) throw semanticProblem(word, `${word.text}() needs an argument more.`, 'SEM0219');
  return argument;
}

/** A number in an argument that is the same for every row. */
export function constantNumber(call: AggregateCall, place: number, what: string): number {
  const value = argumentAt(call, place).scalar.constant?.value;
  if (typeof value !== 'number' || Number.isNaN(value))
    throw semanticProblem(call.word, `${call.word.text}() needs ${what}: a number that is the same for every row.`);
  return value;
}

/** A semantic problem unless the argument's type is one of these. */
export function needType({ word }: AggregateCall, { scalar }: Argument, types: readonly ColumnType[]): void {
  if (!types.includes(scalar.type))
    throw semanticProblem(word, `${word.text}() needs ${types.join(', ')}, but this is a ${scalar.type}. Try adding an explicit cast.`);
}
