import type { Batch } from '../batch/batch.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import { type RuleTarget, routeOf, type SourcedRule } from './route.ts';
import { findSolution, platformOf, type Solution, solutionsOf } from './solutions.ts';

/** Names come from senders: so many are remembered before all are forgotten. */
const MAX_REMEMBERED = 4_096;

/** What routes depend on of an agent. */
export interface RoutedAgent {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly hostName: string;
  readonly displayName: string | undefined;
  readonly operatingSystem: string;
}

type Named = Pick<Batch, 'workspaceId' | 'agentId' | 'dataType' | 'solution'>;

/** Tells which data should have gone straight to its workspace. */
export interface DirectMarks {
  /** The solution of a batch marked direct; undefined for one that belongs at the relay. Two lookups for nearly every batch. */
  directSolutionOf(batch: Named): string | undefined;
}

export interface DirectMarksParts {
  /** The groups of an agent by name, those that count first before the others. */
  readonly groupsOf: (agent: RoutedAgent) => readonly string[];
  /** Whether agents can reach this workspace without the relay. */
  readonly hasDirectWay: (workspaceId: WorkspaceId) => boolean;
  readonly findAgent: (agent: Pick<RoutedAgent, 'workspaceId' | 'agentId'>) => RoutedAgent | undefined;
}

/** What is known of a data type and solution: the same for everybody, or to be asked for each agent. */
type Mark = { readonly of: 'all'; readonly direct: string | undefined } | { readonly of: 'agent'; readonly solutions: readonly Solution[] };

/** `forget` is to be called when the rules have changed. */
export function createDirectMarks(
  { groupsOf, hasDirectWay, findAgent }: DirectMarksParts,
  rules: () => readonly SourcedRule[],
): DirectMarks & { forget(): void } {
  const marks = new Map<string, Map<string, Mark>>();
  let remembered = 0;

  const forget = (): void => {
    marks.clear();
    remembered = 0;
  };
  const judge = (solution: Solution, dataType: string, groups: readonly string[]): string | undefined =>
    routeOf(solution, { dataType, groups }, rules()).value === 'direct' ? solution.name : undefined;

  const learn = ({ dataType, solution: senderName }: Named): Mark => {
    const known = solutionsOf(dataType, senderName);
    const solutions = known.length > 0 ? known : namedByRules(dataType, rules());
    const [only] = solutions;
    if (!only) return { of: 'all', direct: undefined };
    const dependsOnAgent = solutions.length > 1 || rules().some((rule) => rule.solution === only.name && rule.group !== undefined);
    return dependsOnAgent ? { of: 'agent', solutions } : { of: 'all', direct: judge(only, dataType, []) };
  };
  const remember = (batch: Named): Mark => {
    if (remembered >= MAX_REMEMBERED) forget();
    const mark = learn(batch);
    const ofType = marks.get(batch.dataType) ?? new Map<string, Mark>();
    marks.set(batch.dataType, ofType.set(batch.solution, mark));
    remembered += 1;
    return mark;
  };
  const forAgent = (solutions: readonly Solution[], dataType: string, agent: RoutedAgent | undefined): string | undefined => {
    const mine = agent && solutions.find(({ platforms }) => platforms.includes(platformOf(agent.operatingSystem)));
    const solution = mine ?? solutions[0];
    return solution && judge(solution, dataType, agent ? groupsOf(agent) : []);
  };

  return {
    directSolutionOf(batch) {
      if (!hasDirectWay(batch.workspaceId)) return undefined;
      const mark = marks.get(batch.dataType)?.get(batch.solution) ?? remember(batch);
      return mark.of === 'all' ? mark.direct : forAgent(mark.solutions, batch.dataType, findAgent(batch));
    },
    forget,
  };
}

// A data type that the table does not have belongs where a rule puts it.
function namedByRules(dataType: string, rules: readonly RuleTarget[]): readonly Solution[] {
  const rule = rules.find((each) => each.dataType === dataType.toUpperCase());
  const solution = rule && findSolution(rule.solution);
  return solution ? [solution] : [];
}
