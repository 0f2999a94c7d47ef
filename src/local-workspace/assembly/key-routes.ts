/** A workspace's key over HTTP: whether it is there, by what its data key is wrapped, and wrapping it anew. Nothing here gives a key out. */
import type { Lifecycle, ServerRoute } from '@hapi/hapi';
import { RelayError } from '../../errors.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { refuseAccess, type WhoIs } from '../access/access-routes.ts';
import type { Actor } from '../access/actor.ts';
import { noWorkspace } from '../access/refusals.ts';
import type { Action } from '../access/rights.ts';
import type { HostedWorkspaces } from '../hosted-workspace.ts';
import type { WorkspaceKeys } from '../keys/workspace-keys.ts';

/** A key as it is shown. Times are ISO 8601, UTC. */
export interface ShownKey {
  readonly workspaceId: WorkspaceId;
  readonly available: boolean;
  /** Why it cannot be had, and since when. */
  readonly reason?: string;
  readonly since?: string;
  /** `service`, `file`, `command` or `pkcs11`, and the key's id there. */
  readonly provider?: string;
  readonly keyId?: string;
  readonly rotationDueAt?: string;
}

export interface KeyRoutesParts {
  readonly workspaces: HostedWorkspaces;
  readonly access: Pick<Access, 'audited'>;
  readonly whoIs: WhoIs;
  /** Makes a new version of the service's key. */
  readonly renewServiceKey: () => Promise<void>;
}

/** GET /workspaces/{workspaceId}/key, and POST …/key/rotate. */
export function keyRoutes({ workspaces, access, whoIs, renewServiceKey }: KeyRoutesParts): ServerRoute[] {
  const guarded =
    (action: Action, work: (keys: WorkspaceKeys, id: WorkspaceId, actor: Actor) => Promise<void> | undefined): Lifecycle.Method =>
    async (request, h) => {
      const asked = (request.params as { readonly workspaceId: string }).workspaceId;
      const id = readWorkspaceId(asked);
      const found = whoIs(request, id, action);
      if (!found.allowed) return refuseAccess(h, request.path, found.refusal);
      const keys = id && workspaces.get(id)?.dataKey;
      if (!id || !keys) return refuseAccess(h, request.path, noWorkspace(asked));
      try {
        await work(keys, id, found.actor);
      } catch (error) {
        if (!(error instanceof RelayError)) throw error;
        return refuseAccess(h, request.path, { status: 503, code: 'ServiceUnavailable', message: error.message });
      }
      return h.response(shown(keys, id)).header('cache-control', 'no-store');
    };

  const rotate = async (keys: WorkspaceKeys, workspaceId: WorkspaceId, actor: Actor): Promise<void> => {
    // A customer makes newer keys, not we.
    if (keys.current().available && keys.wrappedBy()?.provider === 'service') await renewServiceKey();
    const by = await keys.rewrap();
    access.audited(actor, { action: 'key.rotate', workspaceId, detail: `wrapped by ${by.provider} ${by.keyId}` });
  };

  return [
    { method: 'GET', path: '/workspaces/{workspaceId}/key', handler: guarded('key.read', () => undefined) },
    { method: 'POST', path: '/workspaces/{workspaceId}/key/rotate', handler: guarded('key.rotate', rotate) },
  ];
}

function shown(keys: WorkspaceKeys, workspaceId: WorkspaceId): ShownKey {
  const state = keys.current();
  const by = keys.wrappedBy();
  const dueAt = keys.rotationDueAt();
  return {
    workspaceId,
    available: state.available,
    ...(state.available ? {} : { reason: state.reason, since: new Date(state.since).toISOString() }),
    ...(by ? { provider: by.provider, keyId: by.keyId } : {}),
    ...(dueAt === undefined ? {} : { rotationDueAt: new Date(dueAt).toISOString() }),
  };
}
