import type { ServerRoute } from '@hapi/hapi';
import { parseWorkspaceId } from '../../../workspace/workspace-id.ts';
import type { Inspection } from '../../control/inspection.ts';
import { readDeclaration } from './declaration.ts';
import type { Rule } from './directory.ts';

const MAX_DECLARATION_BYTES = 4 * 1024 * 1024;

/** A rule as the operator is shown it. */
export interface ShownRule {
  readonly immutableId: string;
  readonly workspaceId: string;
  readonly allowedApps: readonly string[];
  readonly streams: readonly { readonly name: string; readonly table: string; readonly plan: string; readonly columns: number }[];
}

/** GET and POST /rules, GET /tables. No secret is shown. */
export function ingestionRoutes(controlled: Pick<Inspection, 'declare' | 'rules' | 'tables'>): ServerRoute[] {
  return [
    { method: 'GET', path: '/rules', handler: () => controlled.rules().map(shown) },
    {
      method: 'POST',
      path: '/rules',
      options: { payload: { maxBytes: MAX_DECLARATION_BYTES } },
      handler: (request) => {
        controlled.declare(readDeclaration(request.payload));
        return controlled.rules().map(shown);
      },
    },
    {
      method: 'GET',
      path: '/tables',
      handler: (request) => {
        const { workspace } = request.query as { workspace?: string };
        return [...controlled.tables(workspace === undefined ? undefined : parseWorkspaceId(workspace))];
      },
    },
  ];
}

function shown({ immutableId, workspace, allowedApps, streams }: Rule): ShownRule {
  const each = Object.entries(streams).map(([name, { table, plan, columns }]) => ({ name, table, plan, columns: columns.length }));
  return { immutableId, workspaceId: workspace, allowedApps, streams: each };
}
