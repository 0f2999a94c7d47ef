import type { Agent } from './agent.ts';

/** When each agent last asked which roots to trust. In memory: ours ask at every check-in, so a restart is made up for within minutes. */
export interface RootsLearnt {
  heard(agent: Pick<Agent, 'workspaceId' | 'agentId'>): void;
  /** Agents that may send, and have not asked since `since`: they may lose the relay when the root they know goes. */
  unaware(agents: readonly Agent[], since: number): readonly Agent[];
  /** Since when it has been listening, in milliseconds since 1970. */
  readonly beganAt: number;
}

export function createRootsLearnt(now: () => number): RootsLearnt {
  const heardAt = new Map<string, number>();
  const beganAt = now();
  const keyOf = ({ workspaceId, agentId }: Pick<Agent, 'workspaceId' | 'agentId'>): string => `${workspaceId}/${agentId}`;
  return {
    heard: (agent) => void heardAt.set(keyOf(agent), now()),
    unaware: (agents, since) => agents.filter((agent) => agent.state === 'approved' && (heardAt.get(keyOf(agent)) ?? Number.NEGATIVE_INFINITY) < since),
    beganAt,
  };
}
