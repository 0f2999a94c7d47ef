/** The solutions and routes that hold now: the table, the configuration over it, operators' commands over both. */
import type { Route, SolutionSetting } from '../check-in/agent-configuration.ts';
import { RelayError } from '../errors.ts';
import { unknownName } from '../nearest.ts';
import { createDirectMarks, type DirectMarks, type DirectMarksParts, type RoutedAgent } from './direct-marks.ts';
import type { OperatorRoutes } from './operator-routes.ts';
import { everyMsOf, type Held, isEnabled, isSameTarget, type RouteRule, type RuleTarget, type RuleWords, routeOf, type SourcedRule } from './route.ts';
import { problemOf } from './rule-problem.ts';
import { findSolution, type Platform, platformOf, SOLUTIONS, type Solution } from './solutions.ts';

/** One solution as it is now. */
export interface SolutionState {
  readonly name: string;
  readonly platforms: readonly Platform[];
  readonly isOnArrival: boolean;
  readonly defaultRoute: Route;
  readonly route: Held<Route>;
  readonly isEnabled: Held<boolean>;
  readonly everyMs: Held<number>;
  /** What was said of groups and of single data types. */
  readonly exceptions: readonly SourcedRule[];
}

export interface RoutingParts extends DirectMarksParts {
  /** What the configuration says. */
  readonly configured: readonly RouteRule[];
  readonly operator: OperatorRoutes;
  readonly groupNames: readonly string[];
}

export interface Routing extends DirectMarks {
  /** How an agent collects each solution of its platform. Without a direct way everything goes through the relay. */
  settingsOf(agent: RoutedAgent): SolutionSetting[];
  list(): SolutionState[];
  /** An operator's words about a target; in force once they are on disk. Throws `relay.routing.bad-rule`. */
  say(target: RuleTarget, words: RuleWords): Promise<SolutionState>;
  /** Takes an operator's words back. False when there were none. */
  takeBack(target: RuleTarget): Promise<boolean>;
  /** All that operators have said. */
  said(): readonly RouteRule[];
  /** Puts what operators said on another relay of the group in place of what they said here. */
  adopt(rules: readonly RouteRule[]): Promise<void>;
  /** Calls `listener` after each change. The function returned ends it. */
  onChange(listener: () => void): () => void;
}

export function createRouting(parts: RoutingParts): Routing {
  const { operator, groupsOf, hasDirectWay } = parts;
  const listeners = new Set<() => void>();
  let rules = allRules(parts);
  const marks = createDirectMarks(parts, () => rules);

  const changed = (): void => {
    rules = allRules(parts);
    marks.forget();
    for (const listener of listeners) listener();
  };
  const stateOf = (solution: Solution): SolutionState => ({
    name: solution.name,
    platforms: solution.platforms,
    isOnArrival: solution.isOnArrival,
    defaultRoute: solution.route,
    route: routeOf(solution, NOBODY, rules),
    isEnabled: isEnabled(solution, NOBODY, rules),
    everyMs: everyMsOf(solution, NOBODY, rules),
    exceptions: rules.filter((rule) => rule.solution === solution.name && (rule.group !== undefined || rule.dataType !== undefined)),
  });

  return {
    directSolutionOf: marks.directSolutionOf,
    settingsOf(agent) {
      const groups = groupsOf(agent);
      const platform = platformOf(agent.operatingSystem);
      const mine = SOLUTIONS.filter(({ platforms }) => platforms.includes(platform));
      return mine.map((solution) => settingOf(solution, groups, rules, hasDirectWay(agent.workspaceId)));
    },
    list: () => SOLUTIONS.map(stateOf),
    async say(target, words) {
      const solution = usable({ ...target, ...words }, parts.groupNames);
      await operator.say({ solution: solution.name, dataType: target.dataType?.toUpperCase(), group: target.group }, words);
      changed();
      return stateOf(solution);
    },
    async takeBack(target) {
      const { name } = usable({ ...target, route: 'relay' }, undefined);
      const wasThere = await operator.takeBack({ solution: name, dataType: target.dataType?.toUpperCase(), group: target.group });
      if (wasThere) changed();
      return wasThere;
    },
    said: operator.list,
    async adopt(others) {
      if (await operator.replaceAll(others)) changed();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Circumstances in which no exception holds. */
const NOBODY = { groups: [] };

// An operator's words about a target stand before the configuration's, word by word.
function allRules({ configured, operator }: Pick<RoutingParts, 'configured' | 'operator'>): readonly SourcedRule[] {
  const said = operator.list();
  const silent = configured.map((rule) =>
    withoutWordsOf(
      rule,
      said.find((other) => isSameTarget(rule, other)),
    ),
  );
  return [...said.map((rule) => ({ ...rule, source: 'operator' as const })), ...silent.map((rule) => ({ ...rule, source: 'configuration' as const }))];
}

function withoutWordsOf(rule: RouteRule, said: RouteRule | undefined): RouteRule {
  return {
    ...rule,
    route: said?.route === undefined ? rule.route : undefined,
    isEnabled: said?.isEnabled === undefined ? rule.isEnabled : undefined,
    everyMs: said?.everyMs === undefined ? rule.everyMs : undefined,
  };
}

function settingOf(solution: Solution, groups: readonly string[], rules: readonly SourcedRule[], canGoDirect: boolean): SolutionSetting {
  const wayOf = (dataType?: string): Route => (canGoDirect ? routeOf(solution, { dataType, groups }, rules).value : 'relay');
  const route = wayOf();
  const named = new Set(rules.flatMap((rule) => (rule.solution === solution.name && rule.dataType !== undefined ? [rule.dataType] : [])));
  const others = [...named].flatMap((dataType) => (wayOf(dataType) === route ? [] : [[dataType, wayOf(dataType)] as const]));
  return {
    name: solution.name,
    isEnabled: isEnabled(solution, { groups }, rules).value,
    everyMs: everyMsOf(solution, { groups }, rules).value,
    route,
    ...(others.length > 0 ? { dataTypes: Object.fromEntries(others) } : {}),
  };
}

// What is taken back may name a group that has gone since.
function usable(rule: RouteRule, groupNames: readonly string[] | undefined): Solution {
  const problem = problemOf(rule);
  const solution = findSolution(rule.solution);
  if (problem !== undefined || !solution) throw new RelayError('relay.routing.bad-rule', `Nothing was changed: ${problem}.`);
  if (rule.group !== undefined && groupNames && !groupNames.includes(rule.group)) {
    const advice = groupNames.length === 0 ? 'there are none; name them in managementGroup.groups' : unknownName('group', rule.group, groupNames);
    throw new RelayError('relay.routing.bad-rule', `Nothing was changed: found the group ${JSON.stringify(rule.group)}; ${advice}.`);
  }
  return solution;
}
