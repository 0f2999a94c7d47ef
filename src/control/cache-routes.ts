import { setTimeout as pause } from 'node:timers/promises';
import type { Lifecycle, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { type CacheOperations, PURGE_KINDS, type Purge } from '../cache/operations.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { PurgeProgress } from './api.ts';
import { type ByOperator, byOperator, entered } from './operator.ts';

/** A purge may look into gigabytes: the answer says how far it is, and the command asks again. */
const ANSWER_WITHIN_MS = 5_000;

/** Who gave the command, as the command says: the socket is its owner's alone. */
const order = z.strictObject({ workspaceIds: z.array(z.string()).min(1), by: z.string().max(100) });
const purgeOrder = order.extend({
  before: z.number().int().positive(),
  kind: z.enum(PURGE_KINDS).optional(),
  dataType: z.string().min(1).max(100).optional(),
});

export interface CacheRoutesParts {
  readonly operations: CacheOperations;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** What an operator does with cached data. */
export function cacheRoutes({ operations, serves, audit, log }: CacheRoutesParts): ServerRoute[] {
  const forEach = (action: string, done: string, work: (workspaceId: WorkspaceId) => void | Promise<void>): Lifecycle.Method => {
    return async (request) => {
      const { workspaceIds, by } = parse(order, request.payload);
      const ids = served(workspaceIds, serves);
      for (const workspaceId of ids) {
        await entered(audit, { ...byOperator(request), action, on: workspaceId }, async () => await work(workspaceId));
        log.info({ workspaceId, by }, done);
      }
      return { workspaceIds: ids };
    };
  };

  return [
    { method: 'POST', path: '/cache/retry-now', handler: forEach('cache.retry-now', 'an operator asked for the next try now', operations.retryNow) },
    { method: 'POST', path: '/cache/pause', handler: forEach('cache.pause', 'an operator paused sending', (id) => operations.pause(id, true)) },
    { method: 'POST', path: '/cache/resume', handler: forEach('cache.resume', 'an operator resumed sending', (id) => operations.pause(id, false)) },
    ...purgeRoutes({ operations, serves, audit, log }),
  ];
}

function purgeRoutes({ operations, serves, audit, log }: CacheRoutesParts): ServerRoute[] {
  let running: Promise<PurgeProgress> | undefined;

  const purge = async ({ by, workspaceIds, ...what }: z.infer<typeof purgeOrder>, operator: ByOperator): Promise<PurgeProgress> => {
    let total: PurgeProgress = { state: 'done', batches: 0, bytes: 0 };
    for (const workspaceId of served(workspaceIds, serves)) {
      log.warn({ workspaceId, by, ...what }, 'an operator purges cached data');
      const { batches, bytes } = await entered(
        audit,
        { ...operator, action: 'cache.purge', on: workspaceId },
        () => operations.purge(workspaceId, what),
        (amount) => `${amount.batches} batches, ${amount.bytes} bytes${limitsOf(what)}`,
      );
      log.warn({ workspaceId, by, batches, bytes }, 'an operator purged cached data; see: relay losses list');
      total = { ...total, batches: total.batches + batches, bytes: total.bytes + bytes };
    }
    return total;
  };

  // Whoever waits at the end hears how it went.
  const progress = async (): Promise<PurgeProgress> => {
    const current = running;
    if (!current) throw new RelayError('relay.control.not-found', 'No purge is running.');
    const soFar = await Promise.race([current, pause(ANSWER_WITHIN_MS, { state: 'running', batches: 0, bytes: 0 } as const, { ref: false })]).catch(
      (cause: unknown) => {
        running = undefined;
        throw cause;
      },
    );
    if (soFar.state === 'done') running = undefined;
    return soFar;
  };

  const begin: Lifecycle.Method = async (request) => {
    if (running !== undefined) throw new RelayError('relay.control.bad-request', 'A purge is running already; wait for its end.');
    const wanted = parse(purgeOrder, request.payload);
    running = purge(wanted, byOperator(request));
    running.catch(() => {});
    return await progress();
  };

  return [
    { method: 'POST', path: '/cache/purge', handler: begin },
    { method: 'GET', path: '/cache/purge', handler: progress },
  ];
}

function limitsOf({ kind, dataType, before }: Purge): string {
  return `, received before ${new Date(before).toISOString()}${kind ? `, kind ${kind}` : ''}${dataType ? `, data type ${dataType}` : ''}`;
}

function served(ids: readonly string[], serves: (workspaceId: WorkspaceId) => boolean): WorkspaceId[] {
  return ids.map((id) => {
    if (serves(id as WorkspaceId)) return id as WorkspaceId;
    throw new RelayError('relay.control.bad-request', `Workspace "${id}" is not configured on this relay.`);
  });
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}
