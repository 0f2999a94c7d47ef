import type { TableSchema } from '../../../tables/column.ts';
import { createTable } from '../operators/table.ts';
import { semanticProblem } from '../problem.ts';
import { bind, hint } from '../scalar/bind.ts';
import type { Scalar } from '../scalar/scalar.ts';
import type { Let, Operator, Pipeline, Query, Source } from '../syntax/tree.ts';
import { type Binding, type Bound, scopeOf } from './binding.ts';
import { createGuard, type Guard } from './guard.ts';
import { bindOperator } from './operator.ts';
import { bindPrint } from './print.ts';
import { bindUnion } from './union.ts';

/** A query under a name, from `let`, and how much there is in it. */
interface Tabular {
  readonly bound: Bound;
  readonly size: number;
}

/** Gives a whole query its meaning. Throws a semantic problem at the word that has none. */
export function bindQuery({ lets, pipeline }: Query, tables: readonly TableSchema[], now: number): Bound {
  const scalars = new Map<string, Scalar>();
  const tabulars = new Map<string, Tabular>();
  const guard = createGuard();
  const binding: Binding = { tables, now, scalars, source: (source) => guard.within(source.word, () => bindSource(source, binding, tabulars, guard)) };
  for (const statement of lets) bindLet(statement, binding, scalars, tabulars, guard);
  return bindPipeline(pipeline, binding, guard);
}

// A let sees the lets before it, and means the same wherever it is used.
function bindLet(statement: Let, binding: Binding, scalars: Map<string, Scalar>, tabulars: Map<string, Tabular>, guard: Guard): void {
  const { name } = statement;
  if (scalars.has(name.text) || tabulars.has(name.text)) throw semanticProblem(name, `let: there is already a '${name.text}'.`);
  const scalar = statement.kind === 'scalar' ? bindConstant(statement, binding) : scalarAlias(statement.pipeline, scalars);
  if (scalar) {
    scalars.set(name.text, scalar);
  } else if (statement.kind === 'tabular') {
    const before = guard.size;
    const bound = bindPipeline(statement.pipeline, binding, guard);
    tabulars.set(name.text, { bound, size: guard.size - before });
  }
}

// `let b = a;` names a scalar once more.
function scalarAlias({ source, operators }: Pipeline, scalars: ReadonlyMap<string, Scalar>): Scalar | undefined {
  return source.kind === 'table' && operators.length === 0 ? scalars.get(source.name) : undefined;
}

function bindConstant({ name, expression }: Let & { kind: 'scalar' }, binding: Binding): Scalar {
  const scalar = bind(expression, scopeOf(binding, 'let', []));
  if (!scalar.constant) throw semanticProblem(name, `let: '${name.text}' must be the same for every row.`);
  return scalar;
}

function bindPipeline({ source, operators }: Pipeline, binding: Binding, guard: Guard): Bound {
  let { stage, render } = binding.source(source);
  for (const operator of withTops(operators)) {
    guard.count(operator.word, 1);
    stage = bindOperator(stage, operator, binding);
    render = operator.kind === 'render' ? { visualization: operator.visualization, properties: operator.properties } : render;
  }
  return { stage, render };
}

// The first rows of an order are a top: the other rows need not be kept.
function withTops(operators: readonly Operator[]): Operator[] {
  const fused: Operator[] = [];
  for (const operator of operators) {
    const last = fused.at(-1);
    if (last?.kind === 'sort' && operator.kind === 'take' && operator.count.kind === 'literal') {
      fused.splice(-1, 1, { kind: 'top', word: last.word, keys: last.keys, count: operator.count });
    } else {
      fused.push(operator);
    }
  }
  return fused;
}

function bindSource(source: Source, binding: Binding, tabulars: ReadonlyMap<string, Tabular>, guard: Guard): Bound {
  guard.count(source.word, 1);
  switch (source.kind) {
    case 'table':
      return bindTable(source, binding, tabulars, guard);
    case 'tables':
      throw semanticProblem(source.word, `Several tables (${source.pattern}) can be read by union only: union ${source.pattern}`);
    case 'union':
      return { stage: bindUnion(source.union, binding), render: undefined };
    case 'print':
      return { stage: bindPrint(source.items, scopeOf(binding, 'print', [])), render: undefined };
    case 'pipeline':
      return bindPipeline(source.pipeline, binding, guard);
  }
}

function bindTable({ word, name }: Source & { kind: 'table' }, { tables, scalars }: Binding, tabulars: ReadonlyMap<string, Tabular>, guard: Guard): Bound {
  const tabular = tabulars.get(name);
  if (tabular) {
    guard.count(word, tabular.size);
    return tabular.bound;
  }
  const schema = tables.find((table) => table.name === name);
  if (schema) return { stage: createTable(schema), render: undefined };
  if (scalars.has(name)) throw semanticProblem(word, `'${name}' is a single value, and a query begins with a table.`);
  const names = [...tables.map((table) => table.name), ...tabulars.keys()];
  throw semanticProblem(word, `Failed to resolve table or column expression named '${name}'.${hint(name, names)}`, 'SEM0100');
}
