import type { Lifecycle, Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import type { Logger } from '../../../logger.ts';
import { readWorkspaceId, type WorkspaceId } from '../../../workspace/workspace-id.ts';
import { type QueryError, replyError, replyRefusal } from './error-reply.ts';
import type { Authorise, QueryAction, QueryActor } from './query-access.ts';
import type { QueryGate } from './query-gate.ts';
import { passOverBody } from './read-body.ts';
import { stamped } from './request-ids.ts';

/** A request that may go on. */
export interface AllowedRequest {
  readonly workspaceId: WorkspaceId;
  readonly actor: QueryActor;
  /** An address, or `socket`. */
  readonly from: string;
  readonly correlationId: string;
}

/** What every route needs. */
export interface GuardDeps {
  readonly authorise: Authorise;
  readonly gate: QueryGate;
  readonly clock: Clock;
  readonly log: Logger;
  /** A new GUID. */
  readonly newId: () => string;
}

export type Handle = (allowed: AllowedRequest, request: Request, h: ResponseToolkit) => Promise<ResponseObject | symbol> | ResponseObject;

/**
 * No route is reached but through here: the workspace in the path, the right to the action, the count of requests, and our own failures. `idIn` finds
 * the workspace's id; undefined where the path is none of ours.
 */
export function guarded(deps: GuardDeps, action: QueryAction, handle: Handle, idIn: (request: Request) => string | undefined = namedId): Lifecycle.Method {
  return async (request, h) => {
    const correlationId = deps.newId();
    const workspaceId = readWorkspaceId(idIn(request) ?? '');
    if (!workspaceId) {
      await passOverBody(request, deps.clock);
      return replyError(h, noPath(request), correlationId);
    }
    try {
      const decision = await deps.authorise(request, workspaceId, action);
      const tooMany = decision.allowed ? deps.gate.admit(userOf(decision.actor)) : undefined;
      if (!decision.allowed || tooMany) await passOverBody(request, deps.clock);
      if (!decision.allowed) return replyRefusal(h, decision.refusal, correlationId);
      if (tooMany) return replyError(h, tooMany, correlationId);
      const allowed = { workspaceId, actor: decision.actor, from: request.info.remoteAddress || 'socket', correlationId };
      const response = await handle(allowed, request, h);
      return typeof response === 'symbol' ? response : stamped(h, response, correlationId);
    } catch (err) {
      deps.log.error({ err, correlationId, workspaceId }, 'a request of the query API failed');
      return replyError(h, { error: 'failed', message: `The service failed. Its log tells why, under ${correlationId}.` }, correlationId);
    }
  };
}

function namedId({ params }: Request): string {
  return String(params['id']);
}

/** What is said of a path that is none of ours. */
export function noPath({ method, path }: Request): QueryError {
  const message = `${method.toUpperCase()} ${path.slice(0, 200)} is no path of this API. Queries go to POST /v1/workspaces/<GUID of the workspace>/query.`;
  return { error: 'pathNotFound', message };
}

/** Whose limits a request counts to. */
export function userOf({ kind, id }: QueryActor): string {
  return `${kind} ${id}`;
}
