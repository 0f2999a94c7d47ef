import { Readable } from 'node:stream';
import type { Request, ResponseObject, ResponseToolkit } from '@hapi/hapi';
import type { Clock } from '../../../clock.ts';
import type { AllowedRequest, Handle } from './allowed-request.ts';
import { userOf } from './allowed-request.ts';
import { type AnswerContext, answerBody, ROWS_AT_ONCE } from './answer-body.ts';
import { auditedText } from './audited-text.ts';
import { type QueryError, replyError } from './error-reply.ts';
import { MAX_ANSWER_BYTES, MAX_ROWS } from './limits.ts';
import { readPrefer } from './prefer.ts';
import type { AuditQuery, QueryOutcome } from './query-access.ts';
import type { QueryGate } from './query-gate.ts';
import { type QueryRequest, readQueryRequest } from './query-request.ts';
import type { AskedQuery, QueryRunner, TableAnswer, TablesOf } from './query-runner.ts';
import { type Ended, runTimed } from './timed-run.ts';

export interface QueryRouteDeps {
  readonly runner: QueryRunner;
  readonly tables: TablesOf;
  readonly audited: AuditQuery;
  readonly gate: QueryGate;
  readonly clock: Clock;
}

/** Answers a query. Every query that reaches the engine is audited before its answer goes out. */
export function queryRoute(deps: QueryRouteDeps): Handle {
  return async (allowed, request, h) => {
    const read = await readQueryRequest(request, allowed.workspaceId, deps.clock);
    if (!read.ok) return replyError(h, read.error, allowed.correlationId);
    const tables = await deps.tables(allowed.workspaceId);
    // "No data in workspace" (Azure Monitor: "API errors").
    if (tables?.length === 0) return h.response().code(204);
    const onGone = whenGone(request);
    const entered = await deps.gate.enter(userOf(allowed.actor), onGone);
    if (entered.kind === 'gone') return h.abandon;
    if (entered.kind === 'refused') return replyError(h, entered.error, allowed.correlationId);
    return await run(deps, { allowed, asked: read.value, onGone, leave: entered.leave }, request, h);
  };
}

function whenGone({ raw }: Request): Run['onGone'] {
  return (leave) => {
    if (raw.res.closed) leave();
    else raw.res.once('close', leave);
  };
}

interface Run {
  readonly allowed: AllowedRequest;
  readonly asked: QueryRequest;
  readonly onGone: (stop: () => void) => void;
  readonly leave: () => void;
}

async function run(deps: QueryRouteDeps, { allowed, asked, onGone, leave }: Run, request: Request, h: ResponseToolkit): Promise<ResponseObject | symbol> {
  const { workspaceId, correlationId } = allowed;
  const prefer = readPrefer(request.headers['prefer'] as string | undefined);
  const startedAt = deps.clock.now();
  const query = { ...asked, workspaceId, now: startedAt, timeoutMs: prefer.waitMs, limits: { rows: MAX_ROWS, bytes: MAX_ANSWER_BYTES } };
  const enter = entering(deps, allowed, query);
  let ended: Ended;
  try {
    ended = await runTimed(query, { runner: deps.runner, clock: deps.clock, onGone, onDone: leave });
  } catch (cause) {
    await enter('failed');
    throw cause;
  }
  const durationMs = deps.clock.now() - startedAt;
  await enter(outcomeOf(ended), ended.kind === 'table' ? ended : undefined);
  if (ended.kind === 'gone') return h.abandon;
  if (ended.kind !== 'table') return replyError(h, errorOf(ended, prefer.waitMs), correlationId);
  return replyTable(h, ended, { workspaceId, prefer, durationMs });
}

type Enter = (outcome: QueryOutcome, answer?: TableAnswer) => Promise<void>;

function entering({ audited, clock }: QueryRouteDeps, allowed: AllowedRequest, { text, now }: AskedQuery): Enter {
  return async (outcome, answer) => {
    const rows = answer?.rows.length ?? 0;
    await audited({ ...allowed, text: auditedText(text), outcome, rows, scannedRows: answer?.scannedRows ?? 0, durationMs: clock.now() - now });
  };
}

function replyTable(h: ResponseToolkit, answer: TableAnswer, context: AnswerContext): ResponseObject {
  const pieces = answerBody(answer, context);
  const body = answer.rows.length <= ROWS_AT_ONCE ? [...pieces].join('') : Readable.from(pieces, { objectMode: false });
  return h.response(body).type('application/json');
}

function outcomeOf(ended: Ended): QueryOutcome {
  if (ended.kind === 'table') return ended.truncated ? 'partial' : 'done';
  return ended.kind === 'gone' ? 'cancelled' : ended.kind;
}

function errorOf(ended: Exclude<Ended, TableAnswer | { kind: 'gone' }>, waitMs: number): QueryError {
  switch (ended.kind) {
    case 'syntax-error':
      return { error: 'syntaxError', message: ended.message, fault: ended };
    case 'semantic-error':
      return { error: 'semanticError', message: ended.message, fault: ended };
    case 'too-large':
      return { error: 'tooLarge', message: ended.message };
    case 'timeout':
      return { error: 'timeout', message: `The query ran longer than ${waitMs / 1_000} s. Ask for less time, or send Prefer: wait with up to 600.` };
    case 'cancelled':
      return { error: 'unavailable', message: 'The service stopped the query, as it does when it ends. Send it again.', retryAfterS: 10 };
    case 'unavailable':
      return { error: 'unavailable', message: ended.reason };
  }
}
