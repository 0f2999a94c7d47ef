/** What every route of retention has in common: who asks and may they, JSON in, refusals with their words. */
import type { Lifecycle, Request, ResponseObject, ResponseToolkit, RouteOptionsPayload } from '@hapi/hapi';
import type { z } from 'zod';
import { RelayError } from '../../errors.ts';
import { readWorkspaceId, type WorkspaceId } from '../../workspace/workspace-id.ts';
import type { WhoIs } from '../access/access-routes.ts';
import type { Actor } from '../access/actor.ts';
import { badArgument, noWorkspace } from '../access/refusals.ts';
import type { Action } from '../access/rights.ts';
import type { Ordered, RetentionRefusal } from './retention-refusals.ts';
import type { WorkspaceRetention } from './workspace-retention.ts';

const MAX_BODY_BYTES = 64 * 1024;
const BODY_TIMEOUT_MS = 10_000;

/** How routes take a body. */
export const JSON_PAYLOAD: RouteOptionsPayload = { maxBytes: MAX_BODY_BYTES, timeout: BODY_TIMEOUT_MS, allow: 'application/json' };

export interface RetentionRouteParts {
  /** Who makes a request, and whether it may do this. What it refuses it has entered. */
  readonly authorise: (...asked: Parameters<WhoIs>) => ReturnType<WhoIs> | Promise<ReturnType<WhoIs>>;
  /** Undefined for a workspace that this process does not have. */
  readonly workspaceOf: (id: WorkspaceId) => WorkspaceRetention | undefined;
  readonly now: () => number;
}

/** An order that has been let in. */
export interface Call {
  readonly actor: Actor;
  readonly workspaceId: WorkspaceId;
  readonly workspace: WorkspaceRetention;
  readonly request: Request;
  readonly now: number;
}

/** The answer to an order; 200 unless it says otherwise. */
export interface Reply {
  readonly status?: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Guarded = (action: Action, work: (call: Call) => Ordered<Reply> | Promise<Ordered<Reply>>) => Lifecycle.Method;

/** Makes handlers that let in who may do the action. What cannot be done now, such as without the workspace's key, is a 503. */
export function guardedBy({ authorise, workspaceOf, now }: RetentionRouteParts): Guarded {
  return (action, work) => async (request, h) => {
    const asked = (request.params as { readonly workspaceId: string }).workspaceId;
    const workspaceId = readWorkspaceId(asked);
    const found = await authorise(request, workspaceId, action);
    if (!found.allowed) return replyRefusal(h, found.refusal);
    const workspace = workspaceId && workspaceOf(workspaceId);
    if (!workspaceId || !workspace) return replyRefusal(h, noWorkspace(asked));
    try {
      const outcome = await work({ actor: found.actor, workspaceId, workspace, request, now: now() });
      return outcome.ok ? reply(h, outcome.value) : replyRefusal(h, outcome.refusal);
    } catch (error) {
      if (!(error instanceof RelayError)) throw error;
      return replyRefusal(h, { status: 503, code: 'ServiceUnavailableError', message: error.message });
    }
  };
}

/** Reads a body, and refuses what it cannot use; no value of it is in the words. */
export async function readBody<Schema extends z.ZodType, Value>(
  schema: Schema,
  { request }: Call,
  work: (wanted: z.output<Schema>) => Ordered<Value> | Promise<Ordered<Value>>,
): Promise<Ordered<Value>> {
  const found = schema.safeParse(request.payload ?? {});
  if (found.success) return await work(found.data);
  const issues = found.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ');
  return { ok: false, refusal: badArgument(`The request cannot be read: ${issues.slice(0, 500)}.`) };
}

function reply(h: ResponseToolkit, { status = 200, body, headers = {} }: Reply): ResponseObject {
  const response = h.response(body).code(status).header('cache-control', 'no-store');
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
  return response;
}

function replyRefusal(h: ResponseToolkit, { status, code, message, details, retryAfterS }: RetentionRefusal): ResponseObject {
  const response = reply(h, { status, body: { error: { code, message, ...(details && { details }) } } });
  // RFC 9110 §15.5.2: a 401 says how to sign in.
  if (status === 401) response.header('www-authenticate', 'Bearer');
  return retryAfterS === undefined ? response : response.header('retry-after', String(retryAfterS));
}
