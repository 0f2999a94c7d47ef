import type { Agent, AgentState } from './agent.ts';
import { type AgentGroup, groupsOf, hasName } from './groups.ts';

/** Which agents are meant: those that fit everything given. */
export interface AgentFilter {
  readonly state?: AgentState | undefined;
  /** A workspace's id, or the beginning of it. */
  readonly workspace?: string | undefined;
  readonly group?: string | undefined;
  /** Pattern for host names and display names. */
  readonly name?: string | undefined;
  /** Not heard of for so long, in milliseconds. */
  readonly silentForMs?: number | undefined;
}

/** The agents that a filter lets through, in their order. */
export function selectAgents<T extends Agent>(agents: readonly T[], filter: AgentFilter, groups: readonly AgentGroup[], now: number): T[] {
  const { state, workspace, group, name, silentForMs } = filter;
  return agents.filter(
    (agent) =>
      (state === undefined || agent.state === state) &&
      (workspace === undefined || agent.workspaceId.startsWith(workspace.toLowerCase())) &&
      (silentForMs === undefined || now - agent.lastSeenAt >= silentForMs) &&
      (name === undefined || hasName(agent, name)) &&
      (group === undefined || groupsOf(agent, groups).includes(group)),
  );
}
