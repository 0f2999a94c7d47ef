import type { Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { RuleTarget, RuleWords } from '../routing/route.ts';
import type { Routing } from '../routing/routing.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { SolutionsAnswer } from './api.ts';
import { audited, byOperator, type Handler } from './operator.ts';
import { nameIn, parse } from './payload.ts';

const DATA_TYPE = /^[A-Za-z][A-Za-z0-9_]{1,100}$/;

const aspect = z.strictObject({
  group: z.string().max(64).optional(),
  dataType: z.string().regex(DATA_TYPE, 'a data type is a letter, then up to 100 letters, digits or underscores').optional(),
});
const words = aspect.extend({
  route: z.enum(['relay', 'direct']).optional(),
  isEnabled: z.boolean().optional(),
  everyMs: z
    .number()
    .int()
    .min(1_000)
    .max(30 * 86_400_000)
    .optional(),
});

export interface SolutionsRoutesParts {
  readonly routing: Pick<Routing, 'list' | 'say' | 'takeBack'>;
  /** Workspaces that agents reach without the relay. */
  readonly directWorkspaces: readonly WorkspaceId[];
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** What agents collect and by which way it goes. */
export function solutionsRoutes({ routing, directWorkspaces, audit, log }: SolutionsRoutesParts): ServerRoute[] {
  const say: Handler = async (request) => {
    const { group, dataType, ...said } = parse(words, request.payload);
    const state = await routing.say({ solution: nameIn(request), group, dataType }, said);
    log.info({ solution: state.name, group, dataType, ...said, by: byOperator(request).actor.name }, 'an operator changed a solution');
    return state;
  };
  const takeBack: Handler = async (request) => {
    const solution = nameIn(request);
    const { group, dataType } = parse(aspect, request.query);
    if (!(await routing.takeBack({ solution, group, dataType })))
      throw new RelayError('relay.control.not-found', `No operator has said anything about ${solution}${ofWhat({ group, dataType })}.`);
    log.info({ solution, group, dataType, by: byOperator(request).actor.name }, 'an operator took back what was said about a solution');
    return routing.list().find(({ name }) => name.toLowerCase() === solution.toLowerCase());
  };
  const path = '/solutions/{name}';
  return [
    { method: 'GET', path: '/solutions', handler: (): SolutionsAnswer => ({ solutions: routing.list(), directWorkspaces }) },
    { method: 'POST', path, handler: audited(say, { audit, action: 'solution.change', detail: saidIn }) },
    {
      method: 'DELETE',
      path,
      handler: audited(takeBack, { audit, action: 'solution.reset', detail: (request) => ofWhat(parse(aspect, request.query)).trim() }),
    },
  ];
}

function saidIn(request: Request): string {
  const { route, isEnabled, everyMs, ...target } = parse(words, request.payload);
  const said: RuleWords = { route, isEnabled, everyMs };
  const text = Object.entries(said).flatMap(([word, value]) => (value === undefined ? [] : [`${word}=${String(value)}`]));
  return `${text.join(', ')}${ofWhat(target)}`;
}

function ofWhat({ group, dataType }: Pick<RuleTarget, 'group' | 'dataType'>): string {
  return `${dataType === undefined ? '' : ` for data type ${dataType}`}${group === undefined ? '' : ` in group ${group}`}`;
}
