/** The operator's side of incidents, for any control socket: that of the relay and that of the local workspace. */
import type { Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import { RelayError } from '../errors.ts';
import { type Incident, SEVERITIES, STATES } from './incident.ts';
import type { Incidents } from './incidents.ts';
import { INCIDENT_KINDS } from './kinds.ts';
import { TARGETS } from './lifecycle.ts';

const MAX_LISTED = 1_000;

const querySchema = z.strictObject({
  state: z.enum(STATES).optional(),
  open: z
    .enum(['true', 'false'])
    .transform((word) => word === 'true')
    .optional(),
  source: z.string().max(100).optional(),
  kind: z.enum(INCIDENT_KINDS).optional(),
  severity: z.enum(SEVERITIES).optional(),
  since: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(MAX_LISTED),
});

const changeSchema = z.strictObject({
  state: z.enum(TARGETS),
  comment: z.string().trim().min(1, 'say in a few words why').max(1_000),
  /** Who asks, as the command line says; only where the request itself does not tell. */
  by: z.string().max(100).optional(),
});

/**
 * GET /incidents (filters in the query, at most 1,000), GET /incidents/{id} (with its time line), POST /incidents/{id} `{state, comment, by?}`.
 * `actorOf` tells who asks, undefined where nothing does. Refusals are `relay.control.bad-request`, `relay.control.not-found`
 * (no such incident) and `relay.incidents.bad-change`.
 */
export function incidentRoutes(incidents: Pick<Incidents, 'list' | 'show' | 'change'>, actorOf: (request: Request) => string | undefined): ServerRoute[] {
  const change = (request: Request): Incident => {
    const { state, comment, by } = read(changeSchema, request.payload);
    const actor = actorOf(request) ?? by ?? 'unknown';
    const done = incidents.change(idIn(request), { state, comment, actor });
    if (done.outcome === 'unknown') throw unknown(request);
    if (done.outcome === 'refused') throw new RelayError('relay.incidents.bad-change', done.why);
    return done.incident;
  };
  const show = (request: Request) => {
    const found = incidents.show(idIn(request));
    if (!found) throw unknown(request);
    return found;
  };
  return [
    { method: 'GET', path: '/incidents', handler: (request) => [...incidents.list(read(querySchema, request.query))] },
    { method: 'GET', path: '/incidents/{id}', handler: show },
    { method: 'POST', path: '/incidents/{id}', handler: change },
  ];
}

function idIn(request: Request): string {
  return String((request.params as { id?: unknown }).id ?? '');
}

function unknown(request: Request): RelayError {
  return new RelayError('relay.control.not-found', `There is no incident "${idIn(request).slice(0, 20)}". See: relay incidents list --all`);
}

function read<T>(schema: z.ZodType<T>, found: unknown): T {
  const parsed = schema.safeParse(found);
  if (parsed.success) return parsed.data;
  throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}
