/** The workspaces' replicas over HTTP, for the control socket: what the command line asks (`replica/requests.ts`). */
import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { messageOf, RelayError } from '../../errors.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import { type HostedWorkspace, type HostedWorkspaces, hostedWorkspace } from '../hosted-workspace.ts';
import { type ShownReplica, type VerifyProgress, verifyReplicaRequestSchema } from '../replica/requests.ts';

export interface ReplicaRoutesParts {
  readonly workspaces: HostedWorkspaces;
  readonly access: Pick<Access, 'audited' | 'operator'>;
}

/** GET /replica, POST /replica/verify, GET /replica/verify. A verification goes on when the asker has gone. */
export function replicaRoutes({ workspaces, access }: ReplicaRoutesParts): ServerRoute[] {
  const verified = new Map<WorkspaceId, VerifyProgress>();

  const shown = (wanted: string | undefined): ShownReplica[] => {
    const all = wanted === undefined ? [...workspaces.values()] : [hostedWorkspace(workspaces, parseWorkspaceId(wanted))];
    return all.flatMap(({ id, replica }) => {
      const state = replica?.state();
      return replica && state ? [{ workspace: id, folder: replica.folder, ...state }] : [];
    });
  };

  const begin = (payload: unknown): VerifyProgress => {
    const read = verifyReplicaRequestSchema.safeParse(payload);
    if (!read.success)
      throw new RelayError('relay.local-workspace.bad-replica-request', `The request cannot be read: ${z.prettifyError(read.error).replaceAll('\n', ' ')}.`);
    const { repair, workspace } = read.data;
    const { id, replica } = withReplica(workspaces, workspace);
    const now = verified.get(id);
    if (now?.state === 'running') return now;
    access.audited(access.operator, { action: repair ? 'replica.repair' : 'replica.verify', workspaceId: id, what: replica.folder });
    verified.set(id, { state: 'running' });
    void replica.verify({ repair }).then(
      (report) => verified.set(id, { state: 'done', report }),
      (error: unknown) => verified.set(id, { state: 'failed', detail: messageOf(error) }),
    );
    return { state: 'running' };
  };

  const progressOf = (workspace: string): VerifyProgress => {
    const { id } = withReplica(workspaces, workspace);
    return verified.get(id) ?? notVerified(id);
  };

  return [
    { method: 'GET', path: '/replica', handler: ({ query }) => shown((query as { workspace?: string }).workspace) },
    { method: 'POST', path: '/replica/verify', handler: ({ payload }) => begin(payload) },
    { method: 'GET', path: '/replica/verify', handler: ({ query }) => progressOf(String((query as { workspace?: string }).workspace)) },
  ];
}

function withReplica(workspaces: HostedWorkspaces, workspace: string): { readonly id: WorkspaceId; readonly replica: NonNullable<HostedWorkspace['replica']> } {
  const { id, replica } = hostedWorkspace(workspaces, parseWorkspaceId(workspace));
  if (replica) return { id, replica };
  throw new RelayError('relay.local-workspace.no-replica', `Workspace ${id} has no replica. Link a folder, set replica.folder for it, and start again.`);
}

function notVerified(id: WorkspaceId): never {
  throw new RelayError('relay.local-workspace.not-verified', `The replica of workspace ${id} was not verified since the start. Ask for it first.`);
}
