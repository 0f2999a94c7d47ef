import type { Plugin, Request } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import type { Logger } from '../../../logger.ts';
import { guarded, type Handle, noPath } from './allowed-request.ts';
import { replyError } from './error-reply.ts';
import { metadataOf } from './metadata.ts';
import type { AuditQuery, AuditSavedQuery, Authorise } from './query-access.ts';
import { createQueryGate } from './query-gate.ts';
import { queryRoute } from './query-route.ts';
import type { QueryRunner, TablesOf } from './query-runner.ts';
import { STREAMED } from './read-body.ts';
import { type SavedQueries, savedQueryRoutes } from './saved-queries.ts';

export interface QueryApiDeps {
  readonly runner: QueryRunner;
  readonly tables: TablesOf;
  readonly authorise: Authorise;
  readonly audited: AuditQuery;
  readonly auditedSavedQuery: AuditSavedQuery;
  /** Undefined where nothing is kept for the customer: the paths do not exist then. */
  readonly savedQueries?: SavedQueries | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** A new GUID. */
  readonly newId: () => string;
}

const WORKSPACE = '/v1/workspaces/{id}';
/**
 * The workspace by its resource id, which ends in the GUID here (Azure Monitor: "Querying logs for Azure resources"). Microsoft's clients put `/v1/` ahead
 * of an id that begins with a slash of its own, which no path of hapi's can say.
 */
const RESOURCE = /^\/?subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.OperationalInsights\/workspaces\/(?<id>[^/]+)\/query$/i;

/** The stand-in for the Query API: queries, metadata and saved queries of the workspaces under /v1. */
export function queryApi(deps: QueryApiDeps): Plugin<void> {
  const parts = { ...deps, gate: createQueryGate(deps.clock) };
  const handle = queryRoute(parts);
  const query = guarded(parts, 'query', handle);
  const byResource = guarded(parts, 'query', handle, resourceIn);
  const metadata = guarded(parts, 'tables.list', metadataRoute(deps.tables));
  const options = { payload: STREAMED };
  return {
    name: 'query-api',
    register(server) {
      server.route([
        { method: 'GET', path: `${WORKSPACE}/query`, handler: query },
        { method: 'POST', path: `${WORKSPACE}/query`, options, handler: query },
        { method: 'GET', path: `${WORKSPACE}/metadata`, handler: metadata },
        { method: 'POST', path: `${WORKSPACE}/metadata`, options, handler: metadata },
        { method: 'GET', path: '/v1/{rest*}', handler: byResource },
        { method: 'POST', path: '/v1/{rest*}', options, handler: byResource },
        { method: '*', path: '/v1/{rest*}', options, handler: (request, h) => replyError(h, noPath(request), deps.newId()) },
      ]);
      if (deps.savedQueries) server.route(savedQueryRoutes({ ...parts, savedQueries: deps.savedQueries }));
    },
  };
}

function resourceIn({ params }: Request): string | undefined {
  return RESOURCE.exec(String(params['rest']))?.groups?.['id'];
}

function metadataRoute(tables: TablesOf): Handle {
  return async ({ workspaceId, correlationId }, _request, h) => {
    const found = await tables(workspaceId);
    if (found) return h.response({ ...metadataOf(workspaceId, found) });
    const message = 'The tables cannot be read while the key of the workspace is taken away. Give the key back, then ask again.';
    return replyError(h, { error: 'unavailable', message }, correlationId);
  };
}
