import type { Lifecycle, Request } from '@hapi/hapi';
import { RelayError } from '../../errors.ts';
import { readWorkspaceId } from '../../workspace/workspace-id.ts';
import { refuseAccess, type WhoIs } from '../access/access-routes.ts';
import type { AccessRefusal, Actor } from '../access/actor.ts';
import { noWorkspace } from '../access/refusals.ts';
import type { Action } from '../access/rights.ts';
import type { HostedWorkspace, HostedWorkspaces } from '../hosted-workspace.ts';

/** An order that has been let in. */
export interface LetIn {
  readonly workspace: HostedWorkspace;
  readonly actor: Actor;
  readonly request: Request;
}

/** What an order comes to. */
export type Came = { readonly answer: object } | { readonly refusal: AccessRefusal };

export interface LetInParts {
  readonly workspaces: HostedWorkspaces;
  readonly whoIs: WhoIs;
}

/** A handler below `/workspaces/{workspaceId}` for who may do the action. What cannot be done now, such as without the workspace's key, is a 503. */
export function letIn({ workspaces, whoIs }: LetInParts, action: Action, work: (order: LetIn) => Came | Promise<Came>): Lifecycle.Method {
  return async (request, h) => {
    const asked = (request.params as { readonly workspaceId: string }).workspaceId;
    const id = readWorkspaceId(asked);
    const found = whoIs(request, id, action);
    if (!found.allowed) return refuseAccess(h, request.path, found.refusal);
    const workspace = id && workspaces.get(id);
    if (!workspace) return refuseAccess(h, request.path, noWorkspace(asked));
    try {
      const came = await work({ workspace, actor: found.actor, request });
      return 'refusal' in came ? refuseAccess(h, request.path, came.refusal) : h.response(came.answer).header('cache-control', 'no-store');
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      return refuseAccess(h, request.path, { status: 503, code: 'ServiceUnavailable', message: error.message });
    }
  };
}
