import type { ServerRoute } from '@hapi/hapi';
import { nameOf } from '../access/actor.ts';
import { notHere } from '../access/refusals.ts';
import type { Call, Guarded, Reply } from './guarded-handler.ts';
import { JSON_PAYLOAD, readBody } from './guarded-handler.ts';
import type { Operation } from './operation-store.ts';
import { purgeRequestSchema } from './purge-request.ts';
import type { Ordered } from './retention-refusals.ts';

/** An operation as people see it: the service's `status`, and what it is. Times are ISO 8601, UTC. */
export interface ShownOperation {
  readonly status: 'pending' | 'completed';
  readonly table: string;
  readonly requestedAt: string;
  readonly requestedBy: string;
  readonly completedAt: string | undefined;
  /** For owners alone: who may purge and not read could find out with it what is in a table. */
  readonly removedRows?: number | undefined;
}

/** The answer to a request that is worked on. */
export interface TakenOperation {
  readonly operationId: string;
  readonly note: string;
}

const PURGE_NOTE = 'It cannot be cancelled. It removes rows that were received before it was requested; what has been exported keeps them.';
const DELETION_NOTE = 'It cannot be cancelled. What has been exported keeps the rows; rows that come later make the table anew.';

/** Purges, table deletions, and what became of them. */
export function operationRoutes(guarded: Guarded): ServerRoute[] {
  const path = '/workspaces/{workspaceId}';
  const purge = (call: Call): Promise<Ordered<Reply>> =>
    readBody(purgeRequestSchema, call, async (asked) => taken(await call.workspace.purges.request(call.actor, asked), call, PURGE_NOTE));
  const deleteTable = async (call: Call): Promise<Ordered<Reply>> => {
    const { table } = call.request.params as { readonly table: string };
    const { confirm } = call.request.query as { readonly confirm?: unknown };
    const requested = await call.workspace.deletions.request(call.actor, table, typeof confirm === 'string' ? confirm : undefined);
    return taken(requested, call, DELETION_NOTE);
  };
  const status = ({ actor, workspace, request }: Call): Ordered<Reply> => {
    const { operationId } = request.params as { readonly operationId: string };
    const operation = workspace.operations.find(operationId);
    if (!operation) return { ok: false, refusal: notHere('operation', operationId) };
    return { ok: true, value: { body: shownOperation(operation, actor.role === 'owner') } };
  };
  return [
    { method: 'POST', path: `${path}/purge`, options: { payload: JSON_PAYLOAD }, handler: guarded('purge.request', purge) },
    { method: 'GET', path: `${path}/operations/{operationId}`, handler: guarded('purge.read', status) },
    { method: 'DELETE', path: `${path}/tables/{table}`, options: { payload: JSON_PAYLOAD }, handler: guarded('table.delete', deleteTable) },
  ];
}

function taken(requested: Ordered<string>, { request }: Call, note: string): Ordered<Reply> {
  if (!requested.ok) return requested;
  const operationId = requested.value;
  // The rest of the path stays, so that it is right below any prefix.
  const place = `${request.path.replace(/\/(?:purge|tables\/[^/]+)\/?$/i, '')}/operations/${operationId}`;
  const { protocol } = request.server.info;
  const location = protocol === 'https' && request.info.host !== '' ? `${protocol}://${request.info.host}${place}` : place;
  const body: TakenOperation = { operationId, note };
  return { ok: true, value: { status: 202, body, headers: { 'x-ms-status-location': location } } };
}

function shownOperation({ state, table, requestedAt, by, completedAt, removedRows }: Operation, seesRows: boolean): ShownOperation {
  return {
    status: state === 'completed' ? 'completed' : 'pending',
    table,
    requestedAt: new Date(requestedAt).toISOString(),
    requestedBy: nameOf(by),
    completedAt: completedAt === undefined ? undefined : new Date(completedAt).toISOString(),
    ...(seesRows && { removedRows }),
  };
}
