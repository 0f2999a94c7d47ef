import { join } from 'node:path';
import { type Logger, silentLogger } from '../../src/logger.ts';
import { type AgentGroup, groupsOf } from '../../src/management-group/groups.ts';
import type { RoutedAgent } from '../../src/routing/direct-marks.ts';
import { openOperatorRoutes } from '../../src/routing/operator-routes.ts';
import type { RouteRule } from '../../src/routing/route.ts';
import { createRouting, type Routing, type RoutingParts } from '../../src/routing/routing.ts';
import { parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';

/** The workspace that has a direct way, and one that has none. */
export const STRAIGHT: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const SHUT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');

export const WEB: RoutedAgent = agent('web-1', STRAIGHT);
export const GROUPS: readonly AgentGroup[] = [
  { name: 'web', match: 'web-*' },
  { name: 'everything', match: '*' },
];

export function agent(hostName: string, workspaceId: WorkspaceId = STRAIGHT, operatingSystem = 'Debian 12'): RoutedAgent {
  return { workspaceId, agentId: parseAgentId('aaaaaaaa-0000-4000-8000-000000000001'), hostName, displayName: undefined, operatingSystem };
}

/** Routing whose operators' words are kept in `folder`; it knows `agents`, and looked one up so often. */
export async function openTestRouting(
  folder: string,
  { configured = [], log = silentLogger, ...parts }: { configured?: readonly RouteRule[]; log?: Logger } & Partial<RoutingParts> = {},
): Promise<Routing> {
  return createRouting({
    configured,
    operator: await openOperatorRoutes(join(folder, 'routes.json'), { now: () => 1, log }),
    groupsOf: (one) => groupsOf(one, GROUPS),
    groupNames: GROUPS.map(({ name }) => name),
    hasDirectWay: (workspaceId) => workspaceId === STRAIGHT,
    findAgent: () => WEB,
    ...parts,
  });
}
