/** How a workspace stands: what waits, what is in its tables, and whether what waits is being worked off. */
import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { badArgument, noWorkspace } from '../access/refusals.ts';
import type { TableFigures } from '../engine/operations.ts';
import { type Came, type LetIn, type LetInParts, letIn } from './let-in.ts';

export interface WorkspaceStatus {
  readonly workspaceId: WorkspaceId;
  /** Whether what is staged is being put in the tables. */
  readonly processing: boolean;
  /** The last entry taken, and how many bytes the staging log has. */
  readonly lastSeq: number;
  readonly stagedBytes: number;
  readonly tables: readonly TableFigures[];
}

export interface StatusRoutesParts extends LetInParts {
  readonly access: Pick<Access, 'audited'>;
}

const processingSchema = z.strictObject({ on: z.boolean() });

/** GET /workspaces/{workspaceId}/status, and POST …/processing `{ on }`. Stopped processing goes on at the next start. */
export function statusRoutes(parts: StatusRoutesParts): ServerRoute[] {
  const stopped = new Set<WorkspaceId>();

  const show = async ({ workspace: { id, stage } }: LetIn): Promise<Came> => {
    if (!stage) return { refusal: noWorkspace(id) };
    const waiting = { lastSeq: stage.lastSeq(), stagedBytes: stage.backlogBytes() };
    const tables = await stage.ask('figures', undefined);
    return { answer: { workspaceId: id, processing: !stopped.has(id), ...waiting, tables } satisfies WorkspaceStatus };
  };

  const change = async (order: LetIn): Promise<Came> => {
    const { id, stage } = order.workspace;
    const read = processingSchema.safeParse(order.request.payload);
    if (!read.success) return { refusal: badArgument('The body is { "on": true } or { "on": false }.') };
    const { on } = read.data;
    if (stage) {
      await stage.ask('processing', { on });
      if (on) stopped.delete(id);
      else stopped.add(id);
      parts.access.audited(order.actor, { action: on ? 'processing.start' : 'processing.stop', workspaceId: id });
    }
    return await show(order);
  };

  return [
    { method: 'GET', path: '/workspaces/{workspaceId}/status', handler: letIn(parts, 'workspace.status', show) },
    { method: 'POST', path: '/workspaces/{workspaceId}/processing', handler: letIn(parts, 'processing.change', change) },
  ];
}
