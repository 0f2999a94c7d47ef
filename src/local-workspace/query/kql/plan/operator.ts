import type { Column } from '../../../tables/column.ts';
import { createCount } from '../operators/count.ts';
import { createDistinct } from '../operators/distinct.ts';
import { createProject } from '../operators/project.ts';
import { createSchema } from '../operators/rows.ts';
import { createSort } from '../operators/sort.ts';
import type { Key } from '../operators/sort-keys.ts';
import type { Stage } from '../operators/stage.ts';
import { createTake } from '../operators/take.ts';
import { createTop } from '../operators/top.ts';
import { createWhere } from '../operators/where.ts';
import { semanticProblem } from '../problem.ts';
import { bind } from '../scalar/bind.ts';
import { asCondition } from '../scalar/logic.ts';
import type { Expression, Operator, SortKey } from '../syntax/tree.ts';
import { isNumeric } from '../values/cell.ts';
import { type Binding, scopeOf } from './binding.ts';
import { bindJoin } from './join.ts';
import { bindExtend, bindProject, bindRename, bindSelection, kept } from './projections.ts';
import { bindSummarize } from './summarize.ts';
import { bindUnion } from './union.ts';

/** The stage that one operator makes of its input. */
export function bindOperator(input: Stage, operator: Operator, binding: Binding): Stage {
  const scope = scopeOf(binding, operator.kind, input.columns);
  switch (operator.kind) {
    case 'where':
      return bindWhere(input, operator.predicate, binding);
    case 'project':
      return createProject(input, bindProject(operator.items, scope));
    case 'extend':
      return createProject(input, bindExtend(operator.items, scope));
    case 'project-away':
    case 'project-keep':
      return createProject(input, bindSelection(operator, input.columns));
    case 'project-rename':
      return createProject(input, bindRename(operator, input.columns));
    case 'summarize':
      return bindSummarize(input, operator, scope);
    case 'sort':
      return createSort(input, bindKeys(operator.keys, input.columns, binding, operator.kind));
    case 'top':
      return createTop(input, bindKeys(operator.keys, input.columns, binding, operator.kind), bindCount(operator, binding));
    case 'take':
      return createTake(input, bindCount(operator, binding));
    case 'distinct':
      return bindDistinct(input, operator, binding);
    case 'count':
      return createCount(input, operator.name);
    case 'join':
      return bindJoin(input, binding.source(operator.right).stage, operator);
    case 'union':
      return bindUnion(operator.union, binding, { stage: input, name: 'union_arg0' });
    case 'getschema':
      return createSchema(input);
    case 'render':
      return input;
  }
}

// Conditions that must all hold are tried one after the other, each on the rows that the last has left.
function bindWhere(input: Stage, predicate: Expression, binding: Binding): Stage {
  const conditions = predicate.kind === 'logic' && predicate.operator === 'and' ? predicate.operands : [predicate];
  const scope = scopeOf(binding, 'where', input.columns);
  return conditions.reduce((stage, condition) => createWhere(stage, asCondition(condition.word, "'where' operator:", bind(condition, scope))), input);
}

function bindKeys(keys: readonly SortKey[], columns: readonly Column[], binding: Binding, operator: string): Key[] {
  return keys.map(({ expression, descending, nullsFirst }) => {
    const scalar = bind(expression, scopeOf(binding, operator, columns));
    if (scalar.type === 'dynamic')
      throw semanticProblem(expression.word, `'${operator}' operator: cannot order by a dynamic value. Please use an explicit cast such as tostring().`);
    return { scalar, descending, nullsFirst };
  });
}

/** How many rows `take` or `top` lets through. */
function bindCount({ kind, count }: Operator & { kind: 'take' | 'top' }, binding: Binding): number {
  const { constant, type } = bind(count, scopeOf(binding, kind, []));
  const value = constant?.value;
  if (!isNumeric(type) || typeof value !== 'number' || !Number.isInteger(value) || value < 0) {
    throw semanticProblem(count.word, `'${kind}' operator: needs a whole number of rows, 0 or more.`);
  }
  return value;
}

function bindDistinct(input: Stage, { items }: Operator & { kind: 'distinct' }, binding: Binding): Stage {
  const all = items.length === 1 && items[0]?.expression.kind === 'star';
  const projections = all ? kept(input.columns) : bindProject(items, scopeOf(binding, 'distinct', input.columns));
  for (const [place, { name, scalar }] of projections.entries()) {
    if (scalar.type !== 'dynamic') continue;
    const word = items[all ? 0 : place]?.expression.word ?? { offset: 0, text: '' };
    throw semanticProblem(word, `'distinct' operator: the column ${name} is dynamic. Please use an explicit cast such as tostring().`);
  }
  return createDistinct(createProject(input, projections));
}
