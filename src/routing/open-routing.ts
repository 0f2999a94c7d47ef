import { readFile } from 'node:fs/promises';
import type { Logger } from '../logger.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { DirectMarksParts } from './direct-marks.ts';
import { createDirectTokens, type DirectTokens, type TokenSource } from './direct-tokens.ts';
import type { DirectWaysParts } from './direct-ways.ts';
import { type DirectWays, readDirectWays } from './direct-ways.ts';
import { openOperatorRoutes } from './operator-routes.ts';
import { type RoutingOptions, ruleOf, type SolutionOptions } from './options.ts';
import { createRouting, type Routing } from './routing.ts';

export interface OpenRoutingParts extends Pick<DirectMarksParts, 'groupsOf' | 'findAgent'>, Pick<DirectWaysParts, 'ruleOf'> {
  /** Where operators' words are kept. */
  readonly file: string;
  readonly solutions: readonly SolutionOptions[];
  readonly options: RoutingOptions;
  readonly workspaces: readonly WorkspaceOptions[];
  readonly groupNames: readonly string[];
  readonly tokenSources: ReadonlyMap<WorkspaceId, TokenSource>;
  /** The tunnel's port; undefined while it is not open. */
  readonly tunnelPort: () => number | undefined;
  /** Whether the tunnel lets in agents only, and so speaks TLS. */
  readonly isTunnelForAgents: boolean;
  readonly now: () => number;
  readonly log: Logger;
}

/** Everything that says by which way data goes. */
export interface OpenRouting {
  readonly routing: Routing;
  readonly directWays: DirectWays;
  readonly tokens: DirectTokens;
  /** Workspaces that agents reach without the relay. */
  readonly directWorkspaces: readonly WorkspaceId[];
}

/** Reads what the configuration and operators say. Throws `relay.routing.bad-trust-file`. */
export async function openRouting(parts: OpenRoutingParts): Promise<OpenRouting> {
  const { options, workspaces, tunnelPort, isTunnelForAgents, now, log } = parts;
  const tokens = createDirectTokens(parts.tokenSources);
  const directWays = await readDirectWays({
    workspaces,
    tokens,
    ruleOf: parts.ruleOf,
    tunnelAddress: options.tunnelAddress,
    tunnelPort,
    isTunnelForAgents,
    readFile: (path) => readFile(path, 'utf8'),
    log,
  });
  const routing = createRouting({
    configured: parts.solutions.map(ruleOf),
    operator: await openOperatorRoutes(parts.file, { now, log }),
    groupsOf: parts.groupsOf,
    groupNames: parts.groupNames,
    hasDirectWay: directWays.has,
    findAgent: parts.findAgent,
  });
  return { routing, directWays, tokens, directWorkspaces: workspaces.map(({ id }) => id).filter(directWays.has) };
}
