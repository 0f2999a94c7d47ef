import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { server as createServer, type Server, type ServerInjectResponse } from '@hapi/hapi';
import type { AccessRefusal } from '../../../../src/local-workspace/access/actor.ts';
import type { QueryAction, QueryActor, QueryAudit } from '../../../../src/local-workspace/query/api/query-access.ts';
import { queryApi } from '../../../../src/local-workspace/query/api/query-api.ts';
import type { AskedQuery, QueryAnswer, TableAnswer } from '../../../../src/local-workspace/query/api/query-runner.ts';
import type { SavedQueries, SavedQuery } from '../../../../src/local-workspace/query/api/saved-queries.ts';
import { COMMON_COLUMNS, type TableSchema } from '../../../../src/local-workspace/tables/column.ts';
import { silentLogger } from '../../../../src/logger.ts';
import { parseWorkspaceId, type WorkspaceId } from '../../../../src/workspace/workspace-id.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');
export const NOW: number = Date.parse('2026-11-29T12:00:00Z');
export const QUERY_PATH: string = `/v1/workspaces/${BANK}/query`;
export const CORRELATION_ID = '99999999-0000-4000-8000-000000000001';
export const HEARTBEAT: TableSchema = { name: 'Heartbeat', columns: [...COMMON_COLUMNS, { name: 'OSName', type: 'string' }] };

export type FakeRun = (asked: AskedQuery, signal: AbortSignal) => QueryAnswer | Promise<QueryAnswer>;

export interface Rig {
  readonly server: Server;
  readonly clock: ManualClock;
  /** What the runner was asked, in order. */
  readonly asked: AskedQuery[];
  readonly audits: QueryAudit[];
  readonly savedAudits: string[];
  readonly decided: QueryAction[];
  post(body: unknown, headers?: Record<string, string>): Promise<ServerInjectResponse>;
}

export interface RigOptions {
  readonly run?: FakeRun;
  readonly tables?: readonly TableSchema[] | undefined;
  readonly refusal?: AccessRefusal;
  readonly savedQueries?: SavedQueries | undefined;
  readonly port?: number;
}

/** One row of one column. */
export const ONE: TableAnswer = { kind: 'table', columns: [{ name: 'Count', type: 'long' }], rows: [[5]], scannedRows: 5 };

/** The plugin on a server of its own. The user is the text behind `Bearer`. */
export async function startQueryApi(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const clock = createManualClock(NOW);
  const rig = { asked: [] as AskedQuery[], audits: [] as QueryAudit[], savedAudits: [] as string[], decided: [] as QueryAction[] };
  const run = options.run ?? (() => ONE);
  const server = createServer({
    router: { isCaseSensitive: false },
    debug: false,
    ...(options.port === undefined ? {} : { port: options.port, host: '127.0.0.1' }),
  });
  await server.register(
    queryApi({
      runner: {
        run: async (asked, signal) => {
          rig.asked.push(asked);
          return await run(asked, signal);
        },
      },
      tables: async () => ('tables' in options ? options.tables : [HEARTBEAT]),
      authorise: (request, _workspaceId, action) => {
        rig.decided.push(action);
        const user = String(request.headers['authorization'] ?? 'Bearer reader').replace('Bearer ', '');
        return options.refusal ? { allowed: false, refusal: options.refusal } : { allowed: true, actor: actorOf(user) };
      },
      audited: (entry) => void rig.audits.push(entry),
      auditedSavedQuery: ({ actor, action, name }) => void rig.savedAudits.push(`${actor.name} ${action} ${name}`),
      savedQueries: 'savedQueries' in options ? options.savedQueries : savedInMemory(),
      clock,
      log: silentLogger,
      newId: () => CORRELATION_ID,
    }),
  );
  t.after(() => server.stop({ timeout: 0 }));
  await server.initialize();
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<ServerInjectResponse> => {
    const payload = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    return server.inject({ method: 'POST', url: QUERY_PATH, payload, headers: { 'content-type': 'application/json', ...headers } });
  };
  return { ...rig, server, clock, post };
}

export function actorOf(user: string): QueryActor {
  return { kind: 'token', id: user, name: user, role: 'reader', from: '127.0.0.1' };
}

export function savedInMemory(): SavedQueries {
  const kept = new Map<string, SavedQuery>();
  return {
    list: async () => ({ kind: 'list', queries: [...kept.values()] }),
    get: async (_id, name) => {
      const query = kept.get(name);
      return query ? { kind: 'found', query } : { kind: 'none' };
    },
    put: async (_id, query) => {
      const saved = { ...query, createdAt: new Date(NOW).toISOString() };
      kept.set(query.name, saved);
      return { kind: 'kept', query: saved };
    },
    delete: async (_id, name) => ({ kind: kept.delete(name) ? 'deleted' : 'none' }),
  };
}

export function jsonOf(response: ServerInjectResponse): unknown {
  assert.match(String(response.headers['content-type']), /^application\/json/);
  return JSON.parse(response.payload);
}

/** Runs that wait until they are let go; each counts as running until then. */
export function heldRuns(): { readonly run: FakeRun; readonly held: ((answer?: QueryAnswer) => void)[] } {
  const held: ((answer?: QueryAnswer) => void)[] = [];
  return { held, run: () => new Promise((resolve) => void held.push((answer = ONE) => resolve(answer))) };
}

/** Lets everything that can go on go on. */
export async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve));
}
