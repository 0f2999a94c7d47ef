import type { Request, ServerRoute } from '@hapi/hapi';
import type { EnterAudit } from '../audit/entry.ts';
import { incidentRoutes } from '../incidents/incident-routes.ts';
import type { Incidents } from '../incidents/incidents.ts';
import { audited, byOperator, type Handler } from './operator.ts';

/** What went wrong at the relay, and what operators do about it; the latter is entered. */
export function incidentsRoutes(incidents: Pick<Incidents, 'list' | 'show' | 'change'>, audit: EnterAudit): ServerRoute[] {
  const entered = { audit, action: 'incident.change', on: idIn, detail: changeIn };
  return incidentRoutes(incidents, (request) => byOperator(request).actor.name).map((route) =>
    route.method === 'POST' ? { ...route, handler: audited(route.handler as Handler, entered) } : route,
  );
}

function idIn(request: Request): string {
  return String((request.params as { id?: unknown }).id ?? '');
}

function changeIn({ payload }: Request): string {
  const { state, comment } = payload as { readonly state: string; readonly comment: string };
  return `${state}: ${comment}`;
}
