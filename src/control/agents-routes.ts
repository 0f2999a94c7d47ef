import type { Lifecycle, Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Agent, AgentState } from '../management-group/agent.ts';
import { type AgentGroup, groupsOf } from '../management-group/groups.ts';
import type { Registry } from '../management-group/registry.ts';
import { type AgentFilter, selectAgents } from '../management-group/select-agents.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { AgentDetails, ListedAgent } from './api.ts';
import { agentNamed } from './find-agent.ts';
import { audited, byOperator, type Handler } from './operator.ts';
import { nameIn, parse } from './payload.ts';

const filter: z.ZodType<AgentFilter> = z.strictObject({
  state: z.enum(['pending', 'approved', 'suspended']).optional(),
  workspace: z.string().max(36).optional(),
  group: z.string().max(64).optional(),
  name: z.string().max(255).optional(),
  silentForMs: z.coerce.number().int().nonnegative().optional(),
});
const decision = z.strictObject({ reason: z.string().max(200).optional() });
const naming = z.strictObject({
  displayName: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .regex(/^\P{Cc}+$/u, 'a display name has no control characters')
    .optional(),
});
const moving = z.strictObject({ workspaceId: z.string() });

export interface AgentsRoutesParts {
  readonly registry: Registry;
  /** When another relay of the group heard of an agent last, in milliseconds since 1970. */
  readonly heardElsewhere: (agent: Agent) => { readonly seenAt: number } | undefined;
  readonly groups: readonly AgentGroup[];
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  /** Ends an agent's connections that carry no request at this moment. */
  readonly disconnect: (agent: Agent) => void;
  readonly now: () => number;
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** Who may send: look at the agents, decide about them, name them, move them. */
export function agentsRoutes(parts: AgentsRoutesParts): ServerRoute[] {
  const { registry, groups, now } = parts;
  const listed = (agent: Agent): ListedAgent => ({ ...agent, certificateEndsAt: certificateEnd(registry, agent), groups: groupsOf(agent, groups) });
  const seen = (agent: Agent): Agent => ({ ...agent, lastSeenAt: Math.max(agent.lastSeenAt, parts.heardElsewhere(agent)?.seenAt ?? 0) });
  const list: Lifecycle.Method = (request): ListedAgent[] => selectAgents(registry.list().map(seen), parse(filter, request.query), groups, now()).map(listed);
  const show: Lifecycle.Method = (request): AgentDetails => {
    const agent = agentNamed(registry, nameIn(request));
    return { agent: listed(seen(agent)), certificates: registry.certificatesOf(agent) };
  };
  const path = '/agents/{name}';
  return [
    { method: 'GET', path: '/agents', handler: list },
    { method: 'GET', path, handler: show },
    { method: 'POST', path: `${path}/approve`, handler: change(parts, 'approve', decide(parts, 'approved')) },
    { method: 'POST', path: `${path}/suspend`, handler: change(parts, 'suspend', decide(parts, 'suspended')) },
    { method: 'POST', path: `${path}/rename`, handler: change(parts, 'rename', (agent, body) => registry.rename(agent, parse(naming, body).displayName)) },
    { method: 'POST', path: `${path}/move`, handler: change(parts, 'move', move(parts)) },
    { method: 'DELETE', path, handler: change(parts, 'remove', remove(parts)) },
  ];
}

/** What a command does with one agent; gives what it is then. */
type Change = (agent: Agent, body: unknown) => Agent | undefined;

// Every one is entered with the agent's id, under whatever name it was called.
function change({ registry, audit, log }: AgentsRoutesParts, verb: string, work: Change): Handler {
  const named = new WeakMap<Request, Agent>();
  const handler: Handler = (request) => {
    const agent = agentNamed(registry, nameIn(request));
    named.set(request, agent);
    const { agentId, workspaceId, hostName } = agent;
    const changed = work(agent, request.payload ?? {}) ?? agent;
    log.info({ agentId, workspaceId, hostName, verb, by: byOperator(request).actor.name, state: changed.state }, 'an operator changed an agent');
    return changed;
  };
  return audited(handler, {
    audit,
    action: `agent.${verb}`,
    on: (request) => named.get(request)?.agentId ?? nameIn(request),
    detail: (request, answer) => detailOf(named.get(request), answer as Agent),
  });
}

function detailOf(before: Agent | undefined, after: Agent): string {
  const { hostName, workspaceId, displayName, stateReason } = after;
  if (before && before.workspaceId !== workspaceId) return `${hostName}, from workspace ${before.workspaceId} to ${workspaceId}`;
  if (before && before.displayName !== displayName) return `${hostName}, now called ${displayName ?? 'by its host name'}`;
  const isDecision = before?.state !== after.state || before.stateReason !== stateReason;
  return `${hostName} of workspace ${workspaceId}${isDecision ? `: ${stateReason}` : ''}`;
}

function decide({ registry, disconnect }: AgentsRoutesParts, state: AgentState): Change {
  return (agent, body) => {
    const { reason } = parse(decision, body);
    const changed = registry.setState(agent.workspaceId, agent.agentId, state, reason ?? `${state} by an operator`);
    if (state === 'suspended') disconnect(agent);
    return changed;
  };
}

function move({ registry, serves }: AgentsRoutesParts): Change {
  return (agent, body) => {
    const wanted = parse(moving, body).workspaceId;
    const to = readWorkspaceId(wanted);
    if (!to || !serves(to)) throw new RelayError('relay.control.bad-request', `Workspace "${wanted}" is not configured on this relay.`);
    if (to === agent.workspaceId) throw new RelayError('relay.control.bad-request', `Agent ${agent.agentId} is in workspace ${to} already.`);
    const moved = registry.move(agent, to);
    if (moved.outcome === 'taken')
      throw new RelayError('relay.control.bad-request', `Workspace ${to} has an agent ${agent.agentId} of its own. Remove that one first.`);
    return moved.outcome === 'moved' ? moved.agent : undefined;
  };
}

function remove({ registry, disconnect }: AgentsRoutesParts): Change {
  return (agent) => {
    disconnect(agent);
    return registry.remove(agent);
  };
}

function certificateEnd(registry: Registry, agent: Agent): number | undefined {
  const current = registry.certificatesOf(agent).filter(({ replacedAt }) => replacedAt === undefined);
  return current.length === 0 ? undefined : Math.max(...current.map(({ notAfter }) => notAfter));
}
