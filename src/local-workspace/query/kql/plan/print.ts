import type { Column } from '../../../tables/column.ts';
import { createProject, type Projection } from '../operators/project.ts';
import { createRows } from '../operators/rows.ts';
import type { Stage } from '../operators/stage.ts';
import { semanticProblem } from '../problem.ts';
import { bind } from '../scalar/bind.ts';
import { createNames } from '../scalar/name.ts';
import type { Scope } from '../scalar/scope.ts';
import type { Named } from '../syntax/tree.ts';
import { ownName } from './projections.ts';

const NOTHING: readonly Column[] = [];

/** `print`: one row of values; without names they are print_0, print_1 and so on. */
export function bindPrint(items: readonly Named[], scope: Scope): Stage {
  const names = createNames();
  const projections = items.map((item, place): Projection => {
    const own = ownName(item, scope);
    if (own && names.taken(own.text)) throw semanticProblem(own, `'print' operator: A column with the name '${own.text}' is already declared.`);
    return { name: names.unique(own?.text ?? `print_${place}`), scalar: bind(item.expression, scope) };
  });
  return createProject(createRows(NOTHING, [[]]), projections);
}
