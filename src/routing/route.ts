/**
 * Which rule holds: pure. A rule that names a group and a data type is the most specific, then one that names a group, then one that names a
 * data type, then one for the whole solution, then the table. A group comes first because it says what its machines can do at all.
 */
import type { Route } from '../check-in/agent-configuration.ts';
import type { Solution } from './solutions.ts';

/** What a rule is about. Two rules about the same are one rule. */
export interface RuleTarget {
  /** Name of a solution. */
  readonly solution: string;
  /** A data type's own name, in capital letters. */
  readonly dataType?: string | undefined;
  /** Name of a group of agents. */
  readonly group?: string | undefined;
}

/** What somebody wants otherwise than the table has it; what is left out stays. */
export interface RuleWords {
  readonly route?: Route | undefined;
  readonly isEnabled?: boolean | undefined;
  readonly everyMs?: number | undefined;
}

export interface RouteRule extends RuleTarget, RuleWords {}

/** Whose word holds. `required`: the solution needs the management group, whatever else is said. */
export type Why = 'default' | 'configuration' | 'operator' | 'required';

export interface SourcedRule extends RouteRule {
  readonly source: 'configuration' | 'operator';
}

/** What data, or an agent's collecting, is judged by. */
export interface Circumstances {
  readonly dataType?: string | undefined;
  /** Groups of the agent, those that count first before the others. */
  readonly groups: readonly string[];
}

export interface Held<T> {
  readonly value: T;
  readonly why: Why;
}

/** The way of a solution's data. */
export function routeOf(solution: Solution, circumstances: Circumstances, rules: readonly SourcedRule[]): Held<Route> {
  if (solution.isBound) return { value: 'relay', why: 'required' };
  return held(solution, circumstances, rules, (rule) => rule.route) ?? { value: solution.route, why: 'default' };
}

/** Whether agents collect it. */
export function isEnabled(solution: Solution, circumstances: Circumstances, rules: readonly SourcedRule[]): Held<boolean> {
  return held(solution, circumstances, rules, (rule) => rule.isEnabled) ?? { value: true, why: 'default' };
}

/** How often agents collect it, in milliseconds. */
export function everyMsOf(solution: Solution, circumstances: Circumstances, rules: readonly SourcedRule[]): Held<number> {
  return held(solution, circumstances, rules, (rule) => rule.everyMs) ?? { value: solution.everyMs, why: 'default' };
}

/** True when both are about the same solution, data type and group. */
export function isSameTarget(one: RuleTarget, other: RuleTarget): boolean {
  return one.solution === other.solution && one.dataType === other.dataType && one.group === other.group;
}

function held<T>(
  solution: Solution,
  { dataType, groups }: Circumstances,
  rules: readonly SourcedRule[],
  wordOf: (rule: RouteRule) => T | undefined,
): Held<T> | undefined {
  // The words of one target, whoever said them, stand together; an operator's come first.
  const rank = ({ dataType: type, group, source }: SourcedRule): number[] => [
    Number(group !== undefined),
    Number(type !== undefined),
    group === undefined ? 0 : -groups.indexOf(group),
    Number(source === 'operator'),
  ];
  const fits = (rule: SourcedRule): boolean =>
    rule.solution === solution.name &&
    wordOf(rule) !== undefined &&
    (rule.dataType === undefined || rule.dataType === dataType?.toUpperCase()) &&
    (rule.group === undefined || groups.includes(rule.group));
  const [best] = rules.filter(fits).sort((one, other) => inOrder(rank(one), rank(other)));
  const value = best && wordOf(best);
  return best && value !== undefined ? { value, why: best.source } : undefined;
}

// The greater first, by the first number that differs.
function inOrder(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index]);
  return at === -1 ? 0 : (other[at] ?? 0) - (one[at] ?? 0);
}
