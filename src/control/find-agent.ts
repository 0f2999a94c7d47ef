import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Registry } from '../management-group/registry.ts';
import { readAgentId, readWorkspaceId } from '../workspace/workspace-id.ts';

/** As `findAgent`, among all; `<workspace>/<agent>` in full is looked up without looking at the others. */
export function agentNamed(registry: Pick<Registry, 'get' | 'list'>, name: string): Agent {
  const [workspaceText = '', agentText = ''] = name.split('/');
  const [workspaceId, agentId] = [readWorkspaceId(workspaceText), readAgentId(agentText)];
  const exact = workspaceId && agentId && registry.get({ workspaceId, agentId });
  return exact || findAgent(registry.list(), name);
}

/**
 * One agent by its GUID, the beginning of it, its display name or its host name; `<workspace>/<agent>` where an agent serves two workspaces.
 * Throws when there is none, or more than one.
 */
export function findAgent(agents: readonly Agent[], name: string): Agent {
  const [wanted = '', workspace] = name.toLowerCase().split('/').reverse();
  const ofWorkspace = agents.filter((agent) => workspace === undefined || agent.workspaceId.startsWith(workspace));
  const exact = ofWorkspace.filter((agent) => agent.agentId === wanted);
  const found = exact.length > 0 ? exact : ofWorkspace.filter((agent) => isCalled(agent, wanted));
  const [first, second] = found;
  if (!first) throw new RelayError('relay.control.not-found', `There is no agent "${name}". List them with: relay agents list`);
  if (second)
    throw new RelayError(
      'relay.control.bad-request',
      `"${name}" fits ${found.length} agents; give more of the id, or workspace/agent: ${found
        .map((agent) => `${agent.workspaceId}/${agent.agentId}`)
        .slice(0, 5)
        .join(', ')}`,
    );
  return first;
}

function isCalled({ agentId, hostName, displayName }: Agent, wanted: string): boolean {
  return agentId.startsWith(wanted) || hostName.toLowerCase() === wanted || displayName?.toLowerCase() === wanted;
}
