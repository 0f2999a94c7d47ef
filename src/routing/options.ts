import { domainAndPort, duration, flag, oneOf, size, text } from '../option-kinds.ts';
import { check, option, optional, required, type Schema, section, sections } from '../options.ts';
import type { RouteRule } from './route.ts';
import { problemOf } from './rule-problem.ts';
import { findSolution } from './solutions.ts';

export interface RoutingOptions {
  /** What becomes of data marked direct that reaches the relay all the same. */
  readonly directAtRelay: 'relay' | 'refuse';
  /** Bytes that each agent's queue may take; the agent's own setting unless given. */
  readonly agentQueueLimit?: number | undefined;
  /** Host and port at which agents reach the tunnel; worked out for each agent unless given. */
  readonly tunnelAddress?: string | undefined;
}

export const routingOptions: Schema<RoutingOptions> = section<RoutingOptions>({
  directAtRelay: option(
    oneOf<RoutingOptions['directAtRelay']>(['relay', 'refuse']),
    'relay',
    'Data that should go straight but comes to the relay: sent on and counted, or refused where the sender is an agent of ours, which then sends it straight. Other senders are never refused: they would lose it.',
  ),
  agentQueueLimit: optional(size({ from: '1MiB', to: '1TiB' }), "the agent's own", "Disk that each agent's queue may take."),
  tunnelAddress: optional(
    domainAndPort,
    'the name an agent reaches the relay by, and tunnel.port',
    'Where agents find the tunnel: host and port, such as tunnel.example.org:8080.',
  ),
});

/** What the configuration file says of one solution. */
export interface SolutionOptions {
  readonly name: string;
  readonly enabled?: boolean | undefined;
  readonly route?: RouteRule['route'];
  readonly every?: number | undefined;
  readonly dataType?: string | undefined;
  readonly group?: string | undefined;
}

const fields = section<SolutionOptions>({
  name: required(text('text', 'the name of a solution; "relay solutions list" has them'), 'The solution this is about.'),
  enabled: optional(flag, 'true', 'Whether agents collect it.'),
  route: optional(oneOf(['relay', 'direct']), "the table's", 'By which way its data goes: through the relay, or straight from the agent.'),
  every: optional(duration({ from: '1s', to: '30d' }), "the table's", 'How often agents collect it.'),
  dataType: optional(
    text('name', 'a data type such as LINUX_PERF_BLOB', (value) => /^[A-Za-z][A-Za-z0-9_]{1,100}$/.test(value)),
    'all',
    'The route holds for this data type only.',
  ),
  group: optional(text('text', 'the name of a group of agents'), 'all agents', 'Holds for the agents of this group of managementGroup.groups only.'),
});

const rule: Schema<SolutionOptions> = check(fields, {
  at: [],
  isGood: (found) => typeof found.name !== 'string' || problemOf(ruleOf(found)) === undefined,
  problem: (found) => problemOf(ruleOf(found)) ?? '',
});

export const solutionsOptions: Schema<readonly SolutionOptions[]> = check(sections(rule), {
  at: [],
  isGood: (list) => repeatedIn(list) === undefined,
  problem: (list) => `found ${repeatedIn(list)} more than once for the same data type and group; give each once`,
});

/** The same as a rule; names are spelled as the table spells them. */
export function ruleOf({ name, enabled, route, every, dataType, group }: SolutionOptions): RouteRule {
  return { solution: findSolution(name)?.name ?? name, dataType: dataType?.toUpperCase(), group, route, isEnabled: enabled, everyMs: every };
}

// Items that could not be read are whatever was found.
function repeatedIn(list: unknown): string | undefined {
  const given = (Array.isArray(list) ? list : []).filter((each: Partial<SolutionOptions> | null): each is SolutionOptions => typeof each?.name === 'string');
  const targets = given.map(ruleOf).map(({ solution, dataType, group }) => JSON.stringify([solution, dataType, group]));
  return given.find((_, index) => targets.indexOf(targets[index] ?? '') < index)?.name;
}
