import type { ResponseObject, ResponseToolkit, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { WorkspaceId } from '../../../workspace/workspace-id.ts';
import { type AllowedRequest, type GuardDeps, guarded, type Handle } from './allowed-request.ts';
import { replyError } from './error-reply.ts';
import { readJson } from './json-body.ts';
import { MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS, MAX_SAVED_CHARS } from './limits.ts';
import type { AuditSavedQuery } from './query-access.ts';
import { problemsIn } from './query-request.ts';
import { STREAMED } from './read-body.ts';

export interface QueryToSave {
  /** 1 to 128 letters, digits, spaces, dots, dashes and underscores; begins with a letter or digit. */
  readonly name: string;
  readonly query: string;
  readonly description: string;
}

export interface SavedQuery extends QueryToSave {
  /** ISO 8601, UTC; a new text leaves it. */
  readonly createdAt: string;
}

/** The place where the queries are kept is away, or its key is. */
export interface SavedQueriesAway {
  readonly kind: 'unavailable';
  /** Why, and what to do. */
  readonly reason: string;
}

/** Keeps the saved queries of workspaces; another folder provides it. */
export interface SavedQueries {
  list(workspaceId: WorkspaceId): Promise<{ readonly kind: 'list'; readonly queries: readonly SavedQuery[] } | SavedQueriesAway>;
  get(workspaceId: WorkspaceId, name: string): Promise<{ readonly kind: 'found'; readonly query: SavedQuery } | { readonly kind: 'none' } | SavedQueriesAway>;
  /** Takes the place of one with the same name. `refused`: there are too many, or it is too long. */
  put(
    workspaceId: WorkspaceId,
    query: QueryToSave,
  ): Promise<{ readonly kind: 'kept'; readonly query: SavedQuery } | { readonly kind: 'refused'; readonly message: string } | SavedQueriesAway>;
  delete(workspaceId: WorkspaceId, name: string): Promise<{ readonly kind: 'deleted' } | { readonly kind: 'none' } | SavedQueriesAway>;
}

export interface SavedQueryDeps extends GuardDeps {
  readonly savedQueries: SavedQueries;
  readonly auditedSavedQuery: AuditSavedQuery;
}

const NAME = new RegExp(`^[A-Za-z0-9][\\w .-]{0,${MAX_NAME_CHARS - 1}}$`);
const putSchema = z.strictObject({
  query: z.string().trim().min(1).max(MAX_SAVED_CHARS),
  description: z.string().max(MAX_DESCRIPTION_CHARS).default(''),
});

/** GET savedQueries, and GET, PUT and DELETE of one. */
export function savedQueryRoutes(deps: SavedQueryDeps): ServerRoute[] {
  const all = '/v1/workspaces/{id}/savedQueries';
  const one = `${all}/{name}`;
  return [
    { method: 'GET', path: all, handler: guarded(deps, 'saved-query.read', list(deps)) },
    { method: 'GET', path: one, handler: guarded(deps, 'saved-query.read', named(get(deps))) },
    { method: 'PUT', path: one, options: { payload: STREAMED }, handler: guarded(deps, 'saved-query.write', named(put(deps))) },
    { method: 'DELETE', path: one, options: { payload: STREAMED }, handler: guarded(deps, 'saved-query.write', named(remove(deps))) },
  ];
}

type HandleNamed = (name: string, ...rest: Parameters<Handle>) => Promise<ResponseObject>;

function named(handle: HandleNamed): Handle {
  return (allowed, request, h) => {
    const { name } = request.params as { name: string };
    if (NAME.test(name)) return handle(name, allowed, request, h);
    const message = `"${name.slice(0, 80)}" is no name of a query. Write 1 to ${MAX_NAME_CHARS} letters, digits, spaces, dots, dashes and underscores, the first a letter or digit.`;
    return refused(h, message, allowed);
  };
}

function list({ savedQueries }: SavedQueryDeps): Handle {
  return async (allowed, _request, h) => {
    const found = await savedQueries.list(allowed.workspaceId);
    return found.kind === 'unavailable' ? away(h, found, allowed) : h.response({ value: [...found.queries] });
  };
}

function get({ savedQueries }: SavedQueryDeps): HandleNamed {
  return async (name, allowed, _request, h) => {
    const found = await savedQueries.get(allowed.workspaceId, name);
    if (found.kind === 'unavailable') return away(h, found, allowed);
    return found.kind === 'none' ? none(h, name, allowed) : h.response({ ...found.query });
  };
}

function put({ savedQueries, auditedSavedQuery, clock }: SavedQueryDeps): HandleNamed {
  return async (name, allowed, request, h) => {
    const body = await readJson(request, clock);
    if (!body.ok) return replyError(h, body.error, allowed.correlationId);
    const read = putSchema.safeParse(body.value);
    if (!read.success) return refused(h, `The query cannot be saved: ${problemsIn(read.error)}.`, allowed);
    const kept = await savedQueries.put(allowed.workspaceId, { ...read.data, name });
    if (kept.kind === 'unavailable') return away(h, kept, allowed);
    if (kept.kind === 'refused') return refused(h, kept.message, allowed);
    await auditedSavedQuery({ ...allowed, action: 'saved-query.put', name });
    return h.response({ ...kept.query });
  };
}

function remove({ savedQueries, auditedSavedQuery }: SavedQueryDeps): HandleNamed {
  return async (name, allowed, _request, h) => {
    const removed = await savedQueries.delete(allowed.workspaceId, name);
    if (removed.kind === 'unavailable') return away(h, removed, allowed);
    if (removed.kind === 'none') return none(h, name, allowed);
    await auditedSavedQuery({ ...allowed, action: 'saved-query.delete', name });
    return h.response().code(204);
  };
}

function away(h: ResponseToolkit, { reason }: SavedQueriesAway, { correlationId }: AllowedRequest): ResponseObject {
  return replyError(h, { error: 'unavailable', message: reason }, correlationId);
}

function none(h: ResponseToolkit, name: string, { correlationId }: AllowedRequest): ResponseObject {
  return replyError(h, { error: 'noSavedQuery', message: `There is no saved query "${name}". GET savedQueries lists those there are.` }, correlationId);
}

function refused(h: ResponseToolkit, message: string, { correlationId }: AllowedRequest): ResponseObject {
  return replyError(h, { error: 'badSavedQuery', message }, correlationId);
}
