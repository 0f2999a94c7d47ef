/** A workspace's key over HTTP: whether it is there, by what its data key is wrapped, and wrapping it anew. Nothing here gives a key out. */
import type { ServerRoute } from '@hapi/hapi';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { noWorkspace } from '../access/refusals.ts';
import type { WorkspaceKeys } from '../keys/workspace-keys.ts';
import { type Came, type LetIn, type LetInParts, letIn } from './let-in.ts';

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

export interface KeyRoutesParts extends LetInParts {
  readonly access: Pick<Access, 'audited'>;
  /** Makes a new version of the service's key. */
  readonly renewServiceKey: () => Promise<void>;
}

/** GET /workspaces/{workspaceId}/key, and POST …/key/rotate. */
export function keyRoutes(parts: KeyRoutesParts): ServerRoute[] {
  const { access, renewServiceKey } = parts;

  const show = ({ workspace: { id, dataKey } }: LetIn): Came => (dataKey ? { answer: shown(dataKey, id) } : { refusal: noWorkspace(id) });

  const rotate = async (order: LetIn): Promise<Came> => {
    const { id: workspaceId, dataKey } = order.workspace;
    if (dataKey) {
      // A customer makes newer keys, not we.
      if (dataKey.current().available && dataKey.wrappedBy()?.provider === 'service') await renewServiceKey();
      const by = await dataKey.rewrap();
      access.audited(order.actor, { action: 'key.rotate', workspaceId, detail: `wrapped by ${by.provider} ${by.keyId}` });
    }
    return show(order);
  };

  return [
    { method: 'GET', path: '/workspaces/{workspaceId}/key', handler: letIn(parts, 'key.read', show) },
    { method: 'POST', path: '/workspaces/{workspaceId}/key/rotate', handler: letIn(parts, 'key.rotate', rotate) },
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
