/** Questions: the Query API over the engine's tables, with who may ask, and a record of who asked what. */
import { createHash, randomUUID } from 'node:crypto';
import type { Plugin } from '@hapi/hapi';
import type { Clock } from '../../clock.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import type { WorkspaceId } from '../../workspace/workspace-id.ts';
import type { Access } from '../access/access.ts';
import type { WhoIs } from '../access/access-routes.ts';
import type { HostedWorkspaces } from '../hosted-workspace.ts';
import type { QueryAudit } from '../query/api/query-access.ts';
import { queryApi } from '../query/api/query-api.ts';
import type { QueryRunner, TablesOf } from '../query/api/query-runner.ts';
import type { SavedQueries } from '../query/api/saved-queries.ts';
import type { Stage } from '../staging/stage.ts';

/** How long a question waits at most for rows that are not in the tables yet. */
const SETTLE_MS = 2_000;
/** The service's own name for the table of who asked what. */
const QUERY_LOG = 'LAQueryLogs';
const HASH_CHARS = 16;
/** What the operator can put right, and the asker cannot. */
const UNAVAILABLE = new Set<string>(['relay.local-workspace.tables-closed', 'relay.local-workspace.segment-damaged', 'relay.local-workspace.engine-ended']);

export interface AskingParts {
  readonly workspaces: HostedWorkspaces;
  readonly access: Pick<Access, 'audited'>;
  readonly whoIs: WhoIs;
  readonly savedQueries?: SavedQueries | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The Query API, for the service or for the control socket, as `whoIs` says. */
export function asking({ workspaces, access, whoIs, savedQueries, clock, log }: AskingParts): Plugin<void> {
  const stageOf = (id: WorkspaceId): Stage | undefined => workspaces.get(id)?.stage;
  return queryApi({
    runner: createRunner(stageOf, clock),
    tables: tablesOf(stageOf),
    authorise: (request, workspaceId, action) => whoIs(request, workspaceId, action),
    async audited(entry) {
      // The text may hold what is in the records, so it is kept among them, sealed; the audit log has what proves which text it was.
      const { actor, workspaceId, outcome, rows, scannedRows, durationMs, text, correlationId } = entry;
      const digest = createHash('sha256').update(text).digest('hex').slice(0, HASH_CHARS);
      const detail = `${outcome}, ${rows} rows of ${scannedRows}, ${durationMs} ms, request ${correlationId}, text ${digest}`;
      access.audited(actor, { action: 'query.run', workspaceId, detail });
      await stageOf(workspaceId)
        ?.keep({ head: { kind: 'own', table: QUERY_LOG, receivedAt: clock.now(), encoding: 'identity' }, body: Buffer.from(JSON.stringify([logged(entry)])) })
        .catch((cause: unknown) => log.warn({ workspaceId, reason: messageOf(cause) }, `a query could not be entered in ${QUERY_LOG}; the audit log has it`));
    },
    auditedSavedQuery({ actor, workspaceId, action, name }) {
      access.audited(actor, { action, workspaceId, what: `query ${name}` });
    },
    savedQueries,
    clock,
    log,
    newId: randomUUID,
  });
}

function createRunner(stageOf: (id: WorkspaceId) => Stage | undefined, clock: Clock): QueryRunner {
  return {
    async run({ workspaceId, text, timespan, now, limits }, signal) {
      const stage = stageOf(workspaceId);
      if (!stage) return { kind: 'unavailable', reason: 'This workspace only counts what comes; it was started with --sink.' };
      try {
        await settled(stage, clock);
        return await stage.ask('query', { text, now, timespan, limits }, signal);
      } catch (cause) {
        if (cause instanceof RelayError && UNAVAILABLE.has(cause.code)) return { kind: 'unavailable', reason: cause.message };
        throw cause;
      }
    },
  };
}

function tablesOf(stageOf: (id: WorkspaceId) => Stage | undefined): TablesOf {
  return async (workspaceId) => {
    const stage = stageOf(workspaceId);
    if (!stage) return [];
    try {
      return await stage.ask('schemas', undefined);
    } catch (cause) {
      if (cause instanceof RelayError && cause.code === 'relay.local-workspace.tables-closed') return undefined;
      throw cause;
    }
  };
}

// A question sees what was acknowledged before it, unless the engine is far behind.
async function settled(stage: Stage, clock: Clock): Promise<void> {
  let cancel = (): void => {};
  const longEnough = new Promise<void>((resolve) => {
    cancel = clock.after(SETTLE_MS, resolve);
  });
  try {
    await Promise.race([stage.settle(), longEnough]);
  } finally {
    cancel();
  }
}

function logged({ actor, correlationId, from, text, outcome, rows, scannedRows, durationMs }: QueryAudit): Record<string, unknown> {
  return {
    CorrelationId: correlationId,
    RequestedBy: actor.name,
    RequestedByKind: actor.kind,
    RequestFrom: from,
    QueryText: text,
    ResponseStatus: outcome,
    ResponseRowCount: rows,
    ScannedRowCount: scannedRows,
    ResponseDurationMs: durationMs,
  };
}
