import type { WorkspaceId } from '../workspace/workspace-id.ts';
import { matchesPattern } from './pattern.ts';

/** Agents that belong together, by the pattern of their names. An agent may be in several. */
export interface AgentGroup {
  readonly name: string;
  /** Pattern for host names and display names: `*` stands for any characters, `?` for one; case does not matter. */
  readonly match: string;
  /** Only agents of this workspace; undefined: of any. */
  readonly workspace?: WorkspaceId | undefined;
}

/** What decides which groups an agent is in. */
export interface GroupMember {
  readonly hostName: string;
  readonly displayName: string | undefined;
  readonly workspaceId: string;
}

/** The names of the groups an agent is in, in the order of the configuration. */
export function groupsOf(agent: GroupMember, groups: readonly AgentGroup[]): string[] {
  return groups.filter(({ match, workspace }) => (workspace === undefined || workspace === agent.workspaceId) && hasName(agent, match)).map(({ name }) => name);
}

/** Whether an agent's host name or display name fits a pattern. */
export function hasName({ hostName, displayName }: Pick<GroupMember, 'hostName' | 'displayName'>, pattern: string): boolean {
  return matchesPattern(hostName, pattern) || (displayName !== undefined && matchesPattern(displayName, pattern));
}
