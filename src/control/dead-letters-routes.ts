import type { Lifecycle, Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import type { Cache } from '../cache/cache.ts';
import type { DeadLetter, DeadLetters, LetterFilter } from '../cache/dead-letters.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { LetterOutcome, OpenedDeadLetter } from './api.ts';
import { audited, byOperator } from './operator.ts';

/** Letters named in one command at most. */
export const MAX_LETTERS_AT_ONCE = 50;
/** Letters listed in one answer, unless fewer are asked for. */
const PAGE = 500;
/** Letters opened at the same time. */
const AT_ONCE = 8;

const listQuery = z.strictObject({
  workspace: z.string().toLowerCase().optional(),
  dataType: z.string().optional(),
  /** Where the page before ended: `<at>.<id>`. */
  after: z
    .string()
    .regex(/^\d+\.[0-9a-f-]{36}$/)
    .optional(),
  limit: z.coerce.number().int().min(1).max(PAGE).default(PAGE),
});
const chosen = z.strictObject({ ids: z.array(z.string().max(64)).min(1).max(MAX_LETTERS_AT_ONCE) });

export interface DeadLettersRoutesParts {
  readonly deadLetters: DeadLetters;
  /** Puts a batch on its normal way. */
  readonly put: Cache['put'];
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** What could not be delivered: look at it, send it again, discard it. */
export function deadLettersRoutes({ deadLetters, put, audit, log }: DeadLettersRoutesParts): ServerRoute[] {
  const show: Lifecycle.Method = async (request): Promise<OpenedDeadLetter> => {
    const id = String((request.params as { name?: unknown }).name ?? '');
    const found = await deadLetters.open(id);
    if (!found) throw new RelayError('relay.control.not-found', `There is no dead letter "${id}". List them with: relay dead-letters list`);
    const { letter, batch } = found;
    return { letter, encoding: batch.origin.encoding, headers: batch.origin.headers, body: batch.body.toString('base64') };
  };

  const replay = async (id: string): Promise<LetterOutcome> => {
    const outcome = await deadLetters.replay(id, put);
    if (!outcome) return { id, outcome: 'gone' };
    if (outcome.outcome !== 'stored') return { id, outcome: 'kept', message: outcome.message };
    log.info({ letter: id }, 'an operator sent a dead letter again');
    return { id, outcome: 'replayed' };
  };

  const discard = async (id: string): Promise<LetterOutcome> => {
    const letter = await deadLetters.discard(id);
    if (!letter) return { id, outcome: 'gone' };
    const { workspaceId, agentId, dataType, records, bytes } = letter;
    log.warn({ letter: id, workspaceId, agentId, dataType, records, bytes }, 'an operator discarded a dead letter');
    return { id, outcome: 'discarded' };
  };

  const forEach = (action: string, work: (id: string) => Promise<LetterOutcome>): Lifecycle.Method => {
    return async (request) => {
      const { ids } = parse(chosen, request.payload);
      const outcomes: LetterOutcome[] = [];
      for (let at = 0; at < ids.length; at += AT_ONCE) outcomes.push(...(await Promise.all(ids.slice(at, at + AT_ONCE).map((id) => orKept(id, work)))));
      for (const { id, outcome, message } of outcomes) {
        const result = outcome === 'kept' ? 'failed' : outcome === 'gone' ? 'refused' : 'done';
        audit({ ...byOperator(request), action, on: id, result, detail: outcome === 'gone' ? 'there is no such dead letter' : message?.slice(0, 200) });
      }
      return outcomes;
    };
  };

  return [
    { method: 'GET', path: '/dead-letters', handler: (request) => deadLetters.list(filterOf(request)) },
    { method: 'GET', path: '/dead-letters/{name}', handler: audited(show, { audit, action: 'dead-letter.open' }) },
    { method: 'POST', path: '/dead-letters/replay', handler: forEach('dead-letter.replay', replay) },
    { method: 'POST', path: '/dead-letters/discard', handler: forEach('dead-letter.discard', discard) },
  ];
}

// One letter that cannot be read must not stop the others.
async function orKept(id: string, work: (id: string) => Promise<LetterOutcome>): Promise<LetterOutcome> {
  try {
    return await work(id);
  } catch (error) {
    return { id, outcome: 'kept', message: messageOf(error) };
  }
}

function filterOf(request: Request): LetterFilter {
  const { workspace, dataType, after, limit } = parse(listQuery, request.query);
  const [at = '', id = ''] = after?.split('.') ?? [];
  return { workspaceId: workspace, dataType, limit, after: after === undefined ? undefined : { at: Number(at), id: id as DeadLetter['id'] } };
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}
