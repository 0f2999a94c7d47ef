import type { Column } from '../../../tables/column.ts';
import type { Aggregate, AggregateCall, Argument } from '../aggregates/aggregate.ts';
import { AGGREGATES } from '../aggregates/aggregates.ts';
import { createProject, type Projection } from '../operators/project.ts';
import type { Stage } from '../operators/stage.ts';
import { createSummarize } from '../operators/summarize.ts';
import { semanticProblem, type Word } from '../problem.ts';
import { bind } from '../scalar/bind.ts';
import { createNames, derivedName } from '../scalar/name.ts';
import { columnScalar, constantScalar, type Scalar } from '../scalar/scalar.ts';
import type { Scope } from '../scalar/scope.ts';
import type { Expression, Named, Operator } from '../syntax/tree.ts';
import { ownName } from './projections.ts';

type Summarize = Operator & { kind: 'summarize' };
type Names = ReturnType<typeof createNames>;

/** Aggregates, and expressions of aggregates (`round(avg(n), 2)`): the aggregates are gathered, the expressions are computed of their results. */
export function bindSummarize(input: Stage, operator: Summarize, scope: Scope): Stage {
  if (operator.aggregates.length + operator.by.length === 0)
    throw semanticProblem(operator.word, "'summarize' operator: needs an aggregate such as count(), or by and a column.");
  const names = createNames();
  const keys = operator.by.map((item) => bindKey(item, scope, names));
  const gathered = gather(keys.length, keyNames(operator.by), scope);
  const results = operator.aggregates.flatMap((item) => gathered.item(item, names));
  const summarized = createSummarize(
    input,
    keys.map(({ scalar }) => scalar),
    gathered.aggregates,
  );
  const keyProjections = keys.map(({ name, scalar }, place) => ({ name, scalar: columnScalar(scalar.type, place) }));
  return createProject(summarized, [...keyProjections, ...results]);
}

function keyNames(by: readonly Named[]): ReadonlySet<string> {
  return new Set(by.flatMap(({ expression }) => (expression.kind === 'name' ? [expression.name] : [])));
}

function bindKey(item: Named, scope: Scope, names: Names): Projection {
  const scalar = bind(item.expression, scope);
  if (scalar.type === 'dynamic') {
    throw semanticProblem(item.expression.word, "'summarize' operator: cannot group by a dynamic value. Please use an explicit cast such as tostring().");
  }
  return { name: nameOf(ownName(item, scope), derivedName(item.expression), names, scope), scalar };
}

function nameOf(own: Word | undefined, derived: string | undefined, names: Names, { operator }: Scope): string {
  if (!own) return derived === undefined ? names.numbered() : names.unique(derived);
  if (names.taken(own.text)) throw semanticProblem(own, `'${operator}' operator: A column with the name '${own.text}' is already declared.`);
  names.take(own.text);
  return own.text;
}

interface Gathered {
  readonly aggregates: Aggregate[];
  /** The columns that one item of `summarize` makes. */
  item(item: Named, names: Names): Projection[];
}

// The results of aggregates are columns behind the keys.
function gather(keys: number, grouped: ReadonlySet<string>, scope: Scope): Gathered {
  const aggregates: Aggregate[] = [];
  let width = keys;
  const add = (aggregate: Aggregate): readonly Scalar[] => {
    aggregates.push(aggregate);
    const first = width;
    width += aggregate.outputs.length;
    return aggregate.outputs.map(({ type }, place) => columnScalar(type, first + place));
  };
  const instead = (expression: Expression): Scalar | undefined => {
    if (expression.kind === 'name') return onlyAggregates(expression.word, scope);
    return expression.kind === 'call' && AGGREGATES.has(expression.name) ? add(bindAggregate(expression, grouped, scope))[0] : undefined;
  };
  return {
    aggregates,
    item({ names: own, expression }, names) {
      if (expression.kind === 'call' && AGGREGATES.has(expression.name)) {
        const aggregate = bindAggregate(expression, grouped, scope);
        const scalars = add(aggregate);
        if (own.length > scalars.length)
          throw semanticProblem(
            own[scalars.length] as Word,
            `'summarize' operator: ${expression.name}() makes ${scalars.length} column(s), and there are more names.`,
          );
        return scalars.map((scalar, place) => ({ name: nameOf(own[place], aggregate.outputs[place]?.name, names, scope), scalar }));
      }
      const before = aggregates.length;
      const scalar = bind(expression, { ...scope, instead });
      if (aggregates.length === before)
        throw semanticProblem(expression.word, `'summarize' operator: ${expression.word.text} is no aggregate; put grouping after by.`);
      return [{ name: nameOf(ownName({ names: own, expression }, scope), nameOfResult(expression), names, scope), scalar }];
    },
  };
}

function onlyAggregates(word: Word, { lets }: Scope): undefined {
  if (lets.has(word.text)) return undefined;
  throw semanticProblem(
    word,
    `'summarize' operator: '${word.text}' is neither an aggregate nor grouped within one. Put it in an aggregate such as take_any(${word.text}).`,
  );
}

// `round(avg(n), 2)` is called like `avg(n)`.
function nameOfResult(expression: Expression): string | undefined {
  if (expression.kind !== 'call') return undefined;
  const [first] = expression.args;
  if (first?.kind !== 'call' || !AGGREGATES.has(first.name)) return undefined;
  const derived = derivedName({ ...expression, args: [{ kind: 'name', word: first.word, name: first.name }, ...expression.args.slice(1)] });
  if (derived === undefined) return undefined;
  const [argument] = first.args;
  const named = argument?.kind === 'name' || argument?.kind === 'member' || argument?.kind === 'element';
  return `${first.name}_${(named && derivedName(argument)) || ''}`;
}

function bindAggregate({ word, name, args }: Expression & { kind: 'call' }, grouped: ReadonlySet<string>, scope: Scope): Aggregate {
  const aggregate = AGGREGATES.get(name);
  if (!aggregate) throw semanticProblem(word, `Unknown function: '${name}'.`, 'SEM0260');
  const [least, most] = aggregate.arity;
  if (args.length < least || args.length > most) {
    throw semanticProblem(
      word,
      `${name}(): function expects ${least === most ? least : `${least} to ${most}`} argument(s), but has ${args.length}.`,
      'SEM0219',
    );
  }
  const call: AggregateCall = { word, args: args.map((arg) => argumentOf(arg, name, scope)), others: others(scope.columns, grouped) };
  return aggregate.bind(call);
}

const STARRED: ReadonlySet<string> = new Set(['arg_max', 'arg_min', 'take_any', 'any']);

function argumentOf(expression: Expression, name: string, scope: Scope): Argument {
  if (expression.kind === 'star' && STARRED.has(name)) return { expression, scalar: constantScalar('bool', 0) };
  return { expression, scalar: bind(expression, scope) };
}

function others(columns: readonly Column[], grouped: ReadonlySet<string>): Argument[] {
  return columns.flatMap(({ name, type }, place) => {
    if (grouped.has(name)) return [];
    return [{ scalar: columnScalar(type, place), expression: { kind: 'name', word: { offset: 0, text: name }, name } satisfies Expression }];
  });
}
