import { RelayError } from '../../../errors.ts';
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import { type Budget, createBudget } from './budget.ts';
import { type Declaration, type DeclaredApp, type DeclaredRule, readDeclaration, type WrittenDeclaration } from './declaration.ts';

/** A rule in force. */
export interface Rule extends DeclaredRule {
  readonly workspace: WorkspaceId;
  readonly budget: Budget;
}

/** Who may sign in, and which rules there are: the declaration in force. */
export interface Directory {
  declaration(): Declaration;
  app(clientId: string): DeclaredApp | undefined;
  rule(immutableId: string): Rule | undefined;
  rules(): readonly Rule[];
  /** Takes the place of what was declared before; budgets begin anew. Throws `relay.local-workspace.bad-rules`. */
  declare(written: WrittenDeclaration): void;
}

/** Nobody's tenant: what there is until something is declared. */
const NOTHING: WrittenDeclaration = { tenantId: '00000000-0000-0000-0000-000000000000' };

/** The directory of a process that stands in for these workspaces. */
export function createDirectory(workspaces: readonly WorkspaceId[], written: WrittenDeclaration = NOTHING): Directory {
  let declaration: Declaration;
  let apps: ReadonlyMap<string, DeclaredApp>;
  let rules: ReadonlyMap<string, Rule>;

  const declare = (next: WrittenDeclaration): void => {
    const read = readDeclaration(next);
    const resolved = read.rules.map((rule) => ({ ...rule, workspace: workspaceOf(rule, workspaces), budget: createBudget(rule) }));
    declaration = read;
    apps = new Map(read.apps.map((app) => [app.clientId, app]));
    rules = new Map(resolved.map((rule) => [rule.immutableId, rule]));
  };

  declare(written);
  return {
    declaration: () => declaration,
    app: (clientId) => apps.get(clientId.toLowerCase()),
    rule: (immutableId) => rules.get(immutableId.toLowerCase()),
    rules: () => [...rules.values()],
    declare,
  };
}

function workspaceOf(rule: DeclaredRule, workspaces: readonly WorkspaceId[]): WorkspaceId {
  const only = workspaces.length === 1 ? workspaces[0] : undefined;
  const id = rule.workspace ?? only;
  if (id && workspaces.includes(id)) return id;
  throw new RelayError(
    'relay.local-workspace.bad-rules',
    `Rule ${rule.immutableId} fills workspace ${rule.workspace ?? '(none named)'}, this local workspace has ${workspaces.join(', ')}. Name one of these.`,
  );
}
