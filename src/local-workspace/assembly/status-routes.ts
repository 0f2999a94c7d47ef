/** How a workspace stands: what waits, what is in its tables, and whether what waits is being worked off. */
import type { Lifecycle, Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { RelayError } from '../../errors.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { refuseAccess, type WhoIs } from '../access/access-routes.ts';
import type { Actor } from '../access/actor.ts';
import { badArgument, noWorkspace } from '../access/refusals.ts';
import type { Action } from '../access/rights.ts';
import type { TableFigures } from '../engine/operations.ts';
import type { HostedWorkspaces } from '../hosted-workspace.ts';
import type { Stage } from '../staging/stage.ts';

export interface WorkspaceStatus {
  readonly workspaceId: WorkspaceId;
  /** Whether what is staged is being put in the tables. */
  readonly processing: boolean;
  /** The last entry taken, and how many bytes the staging log has. */
  readonly lastSeq: number;
  readonly stagedBytes: number;
  readonly tables: readonly TableFigures[];
}

export interface StatusRoutesParts {
  readonly workspaces: HostedWorkspaces;
  readonly access: Pick<Access, 'audited'>;
  readonly whoIs: WhoIs;
}

const processingSchema = z.strictObject({ on: z.boolean() });

/** GET /workspaces/{workspaceId}/status, and POST …/processing `{ on }`. Stopped processing goes on at the next start. */
export function statusRoutes({ workspaces, access, whoIs }: StatusRoutesParts): ServerRoute[] {
  const stopped = new Set<WorkspaceId>();

  const guarded =
    (action: Action, work: (call: { id: WorkspaceId; stage: Stage; actor: Actor; request: Request }) => Promise<string | undefined>): Lifecycle.Method =>
    async (request, h) => {
      const asked = (request.params as { readonly workspaceId: string }).workspaceId;
      const id = readWorkspaceId(asked);
      const found = whoIs(request, id, action);
      if (!found.allowed) return refuseAccess(h, request.path, found.refusal);
      const stage = id && workspaces.get(id)?.stage;
      if (!id || !stage) return refuseAccess(h, request.path, noWorkspace(asked));
      try {
        const problem = await work({ id, stage, actor: found.actor, request });
        if (problem !== undefined) return refuseAccess(h, request.path, badArgument(problem));
        return h.response(await statusOf(id, stage)).header('cache-control', 'no-store');
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        return refuseAccess(h, request.path, { status: 503, code: 'ServiceUnavailable', message: error.message });
      }
    };

  const statusOf = async (workspaceId: WorkspaceId, stage: Stage): Promise<WorkspaceStatus> => ({
    workspaceId,
    processing: !stopped.has(workspaceId),
    lastSeq: stage.lastSeq(),
    stagedBytes: stage.backlogBytes(),
    tables: await stage.ask('figures', undefined),
  });

  return [
    { method: 'GET', path: '/workspaces/{workspaceId}/status', handler: guarded('workspace.status', () => Promise.resolve(undefined)) },
    {
      method: 'POST',
      path: '/workspaces/{workspaceId}/processing',
      handler: guarded('processing.change', async ({ id, stage, actor, request }) => {
        const read = processingSchema.safeParse(request.payload);
        if (!read.success) return 'The body is { "on": true } or { "on": false }.';
        const { on } = read.data;
        await stage.ask('processing', { on });
        if (on) stopped.delete(id);
        else stopped.add(id);
        access.audited(actor, { action: on ? 'processing.start' : 'processing.stop', workspaceId: id });
        return undefined;
      }),
    },
  ];
}
