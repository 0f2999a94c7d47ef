import { unknownName } from '../nearest.ts';
import type { RouteRule } from './route.ts';
import { findSolution, SOLUTIONS } from './solutions.ts';

/** Why a rule cannot hold: what was found, and what is allowed. Undefined when it can. */
export function problemOf(rule: RouteRule): string | undefined {
  const { route, isEnabled, everyMs, dataType } = rule;
  const solution = findSolution(rule.solution);
  if (!solution) return `found ${JSON.stringify(rule.solution)}; ${unknownSolution(rule.solution)}`;
  if (solution.isBound && route === 'direct') return `${solution.name} needs the management group: its data goes through the relay`;
  if (dataType !== undefined && (isEnabled !== undefined || everyMs !== undefined)) return 'only a route can be given for one data type';
  if (route === undefined && isEnabled === undefined && everyMs === undefined) return `found nothing for ${solution.name}; give a route, enabled or every`;
  return undefined;
}

function unknownSolution(name: string): string {
  return unknownName(
    'solution',
    name,
    SOLUTIONS.map((solution) => solution.name),
  );
}
