import type { Stage } from '../operators/stage.ts';
import { createTable } from '../operators/table.ts';
import { type Branch, createUnion } from '../operators/union.ts';
import { semanticProblem } from '../problem.ts';
import type { Source, Union } from '../syntax/tree.ts';
import type { Binding } from './binding.ts';
import { matchPattern } from './projections.ts';

/** The branches of a union, patterns of names replaced by the tables that fit. `first` is what was piped into it. */
export function bindUnion({ word, kind, withSource, branches }: Union, binding: Binding, first?: Branch): Stage {
  const all = [...(first ? [first] : []), ...branches.flatMap((branch, place) => bindBranch(branch, place + (first ? 1 : 0), binding))];
  if (all.length === 0) throw semanticProblem(word, "'union' operator: no table fits these names.", 'SEM0100');
  return createUnion(all, kind, withSource?.text);
}

function bindBranch(branch: Source, place: number, binding: Binding): Branch[] {
  if (branch.kind === 'tables') {
    const fits = matchPattern(branch.pattern);
    return binding.tables.filter(({ name }) => fits(name)).map((schema) => ({ stage: createTable(schema), name: schema.name }));
  }
  return [{ stage: binding.source(branch).stage, name: branch.kind === 'table' ? branch.name : `union_arg${place}` }];
}
