/** Tokens and requests for access over HTTP: on the service for who has a token, on the control socket for the operator. JSON in and out. */
import type { Lifecycle, Plugin, Request, ResponseObject, ResponseToolkit, ServerRoute } from '@hapi/hapi';
import type { z } from 'zod';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import { refuse } from '../replies.ts';
import type { Access } from './access.ts';
import { decisionSchema, newRequestSchema, newTokenSchema } from './access-input.ts';
import type { AccessRefusal, Actor, Authorised, Outcome } from './actor.ts';
import { badArgument, noWorkspace } from './refusals.ts';
import type { Decision } from './request-state.ts';
import type { Action } from './rights.ts';

const MAX_BODY_BYTES = 16 * 1024;
const BODY_TIMEOUT_MS = 10_000;

/** Who makes a request, and whether it may do this in the workspace. */
export type WhoIs = (request: Request, workspaceId: WorkspaceId | undefined, action: Action) => Authorised;

/** Goes by the Bearer token of the request. */
export function whoIsByToken(access: Pick<Access, 'authorise'>, now: () => number): WhoIs {
  return (request, workspaceId, action) => {
    const authorization: unknown = request.headers['authorization'];
    const header = typeof authorization === 'string' ? authorization : undefined;
    return access.authorise({ authorization: header, workspaceId, action, from: request.info.remoteAddress, now: now() });
  };
}

/** Takes everybody for the operator: for the control socket alone, which only the owner of the data folder can open. */
export function whoIsOperator(access: Pick<Access, 'operator'>, isHosted: (id: WorkspaceId) => boolean): WhoIs {
  return (request, workspaceId) => {
    if (workspaceId !== undefined && isHosted(workspaceId)) return { allowed: true, actor: access.operator };
    const asked = String((request.params as { workspaceId?: unknown }).workspaceId);
    return { allowed: false, refusal: noWorkspace(asked) };
  };
}

/** Answers a refusal of access, with the headers that its status asks for. */
export function refuseAccess(h: ResponseToolkit, path: string, refusal: AccessRefusal): ResponseObject {
  const response = refuse(h, path, refusal).header('cache-control', 'no-store');
  if (refusal.status === 401) response.header('www-authenticate', 'Bearer');
  return refusal.retryAfterS === undefined ? response : response.header('retry-after', String(refusal.retryAfterS));
}

/** An order that has been let in. */
interface Call {
  readonly actor: Actor;
  readonly workspaceId: WorkspaceId;
  /** The token or request in the path. */
  readonly id: string;
  readonly payload: unknown;
}

/** The plugin; `prefix` in the registration's `routes` puts all of it elsewhere. */
export function accessRoutes(access: Pick<Access, 'tokens' | 'requests'>, whoIs: WhoIs): Plugin<void> {
  const { tokens, requests } = access;
  const guarded = handlerFor(whoIs);
  const decide = (path: string, decision: Decision): ServerRoute =>
    post(
      `/access-requests/{id}/${path}`,
      guarded('access.decide', (call) =>
        read(decisionSchema, call, ({ comment }) => requests.decide(call.actor, call.workspaceId, call.id, decision, comment)),
      ),
    );
  const routes: ServerRoute[] = [
    get(
      '/tokens',
      guarded('access.read', ({ workspaceId }) => done(tokens.list(workspaceId))),
    ),
    post(
      '/tokens',
      guarded('access.grant', (call) => read(newTokenSchema, call, (wanted) => tokens.create(call.actor, call.workspaceId, wanted))),
    ),
    post(
      '/tokens/{id}/revoke',
      guarded('access.grant', ({ actor, workspaceId, id }) => tokens.revoke(actor, workspaceId, id)),
    ),
    // Support sees its own, which is all that its standing lets it see; who may decide sees all.
    get(
      '/access-requests',
      guarded('access.request', ({ actor, workspaceId }) => done(requests.list(actor, workspaceId))),
    ),
    post(
      '/access-requests',
      guarded('access.request', (call) => read(newRequestSchema, call, (wanted) => requests.request(call.actor, call.workspaceId, wanted))),
    ),
    decide('approve', 'approved'),
    decide('reject', 'rejected'),
    decide('withdraw', 'withdrawn'),
  ];
  return { name: 'access', register: (server) => void server.route(routes) };
}

function get(path: string, handler: Lifecycle.Method): ServerRoute {
  return { method: 'GET', path: `/workspaces/{workspaceId}${path}`, handler };
}

function post(path: string, handler: Lifecycle.Method): ServerRoute {
  const payload = { maxBytes: MAX_BODY_BYTES, timeout: BODY_TIMEOUT_MS, allow: 'application/json' };
  return { method: 'POST', path: `/workspaces/{workspaceId}${path}`, options: { payload }, handler };
}

type Guarded = (action: Action, work: (call: Call) => Outcome<unknown>) => Lifecycle.Method;

function handlerFor(whoIs: WhoIs): Guarded {
  return (action, work) => (request, h) => {
    const params = request.params as { readonly workspaceId: string; readonly id?: string };
    const workspaceId = readWorkspaceId(params.workspaceId);
    const found = whoIs(request, workspaceId, action);
    if (!found.allowed) return refuseAccess(h, request.path, found.refusal);
    // Nobody is let in to what is no workspace.
    if (workspaceId === undefined) return refuseAccess(h, request.path, noWorkspace(params.workspaceId));
    const outcome = work({ actor: found.actor, workspaceId, id: params.id ?? '', payload: request.payload });
    return outcome.ok ? h.response(outcome.value as object).header('cache-control', 'no-store') : refuseAccess(h, request.path, outcome.refusal);
  };
}

function read<Schema extends z.ZodType>(schema: Schema, { payload }: Call, work: (wanted: z.output<Schema>) => Outcome<unknown>): Outcome<unknown> {
  const found = schema.safeParse(payload ?? {});
  if (found.success) return work(found.data);
  const issues = found.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return { ok: false, refusal: badArgument(`The request cannot be read: ${issues.slice(0, 500)}.`) };
}

function done<Value>(value: Value): Outcome<Value> {
  return { ok: true, value };
}
