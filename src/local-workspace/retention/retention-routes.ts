/** Retention, purges, the lock and table deletion over HTTP: on the service for who has a token, on the control socket for the operator. */
import type { ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { type Call, type Guarded, guardedBy, JSON_PAYLOAD, type Reply, type RetentionRouteParts, readBody } from './guarded-handler.ts';
import { lockRoutes } from './lock-routes.ts';
import { operationRoutes } from './operation-routes.ts';
import { noTable, type Ordered } from './retention-refusals.ts';
import { RETENTION_DAYS } from './retention-settings.ts';
import { showTable, showWorkspace } from './shown-retention.ts';

const FOLLOW = -1;

const { least, most } = RETENTION_DAYS;
const BOUNDS = `must be a whole number from ${least} to ${most}`;

const days = z.number({ error: BOUNDS }).refine(isDays, BOUNDS);
const following = z
  .number({ error: `${BOUNDS}, or -1 to follow the workspace` })
  .nullable()
  .refine((value) => value === null || value === FOLLOW || isDays(value), `${BOUNDS}, or -1 to follow the workspace`);

function isDays(value: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

interface Wanted {
  readonly days: number | undefined;
  readonly confirm: boolean;
}

const confirm = z.boolean().default(false);

const tableSchema = z
  .strictObject({
    properties: z.strictObject({
      retentionInDays: following,
      totalRetentionInDays: following.optional(),
      plan: z.literal('Analytics', { error: 'must be "Analytics", the only plan here' }).optional(),
    }),
    confirm,
  })
  .refine(
    ({ properties: { retentionInDays, totalRetentionInDays: total = retentionInDays } }) => total === retentionInDays || total === FOLLOW || total === null,
    {
      path: ['properties', 'totalRetentionInDays'],
      error: 'must be as retentionInDays: there is no archive here',
    },
  )
  .transform(({ properties: { retentionInDays }, confirm: confirmed }): Wanted => {
    return { days: retentionInDays === FOLLOW || retentionInDays === null ? undefined : retentionInDays, confirm: confirmed };
  });

const workspaceSchema = z.strictObject({ properties: z.strictObject({ retentionInDays: days }), confirm });

/** The routes below `/workspaces/{workspaceId}`. */
export function retentionRoutes(parts: RetentionRouteParts): ServerRoute[] {
  const guarded = guardedBy(parts);
  return [...workspaceRoutes(guarded), ...tableRoutes(guarded), ...operationRoutes(guarded), ...lockRoutes(guarded)];
}

function workspaceRoutes(guarded: Guarded): ServerRoute[] {
  const path = '/workspaces/{workspaceId}';
  const patch = (call: Call): Promise<Ordered<Reply>> =>
    readBody(workspaceSchema, call, async ({ properties, confirm: confirmed }) => {
      const setting = { target: 'default', days: properties.retentionInDays } as const;
      return answer(await call.workspace.changes.set(call.actor, setting, confirmed), () => shownWorkspace(call));
    });
  const takeBack = (call: Call): Ordered<Reply> => answer(call.workspace.changes.takeBack(call.actor, undefined), () => shownWorkspace(call));
  return [
    { method: 'GET', path, handler: guarded('retention.read', (call) => ({ ok: true, value: { body: shownWorkspace(call) } })) },
    { method: 'PATCH', path, options: { payload: JSON_PAYLOAD }, handler: guarded('retention.change', patch) },
    { method: 'DELETE', path: `${path}/pendingRetention`, options: { payload: JSON_PAYLOAD }, handler: guarded('retention.change', takeBack) },
  ];
}

function tableRoutes(guarded: Guarded): ServerRoute[] {
  const path = '/workspaces/{workspaceId}/tables';
  const one = `${path}/{table}`;
  const list = async ({ workspace, now }: Call): Promise<Ordered<Reply>> => {
    const policy = workspace.changes.policy();
    const names = (await workspace.tables.schemas()).map(({ name }) => name).sort();
    return { ok: true, value: { body: { value: names.map((name) => showTable(name, policy, now)) } } };
  };
  const get = async (call: Call): Promise<Ordered<Reply>> => {
    const table = tableOf(call);
    const known = (await call.workspace.tables.schemas()).some(({ name }) => name === table);
    return known ? { ok: true, value: { body: shownTable(call) } } : { ok: false, refusal: noTable(table) };
  };
  const put = (call: Call): Promise<Ordered<Reply>> =>
    readBody(tableSchema, call, async (wanted) => {
      const setting = { target: 'table', table: tableOf(call), days: wanted.days } as const;
      return answer(await call.workspace.changes.set(call.actor, setting, wanted.confirm), () => shownTable(call));
    });
  const takeBack = (call: Call): Ordered<Reply> => answer(call.workspace.changes.takeBack(call.actor, tableOf(call)), () => shownTable(call));
  return [
    { method: 'GET', path, handler: guarded('tables.list', list) },
    { method: 'GET', path: one, handler: guarded('retention.read', get) },
    { method: ['PUT', 'PATCH'], path: one, options: { payload: JSON_PAYLOAD }, handler: guarded('retention.change', put) },
    { method: 'DELETE', path: `${one}/pendingRetention`, options: { payload: JSON_PAYLOAD }, handler: guarded('retention.change', takeBack) },
  ];
}

function answer(outcome: Ordered<void>, show: () => object): Ordered<Reply> {
  return outcome.ok ? { ok: true, value: { body: show() } } : outcome;
}

function tableOf({ request }: Call): string {
  return (request.params as { readonly table: string }).table;
}

function shownTable(call: Call): object {
  return showTable(tableOf(call), call.workspace.changes.policy(), call.now);
}

function shownWorkspace({ workspaceId, workspace: { settings, lock, changes }, now }: Call): object {
  return showWorkspace({ workspaceId, settings, isLocked: lock.isLocked() }, changes.policy(), now);
}
