import type { Lifecycle, Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Sender, Senders } from '../management-group/senders.ts';
import { type AgentId, readAgentId, readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { CreatedSender, ListedSender, SenderCredential } from './api.ts';
import { audited } from './operator.ts';
import { nameIn, parse } from './payload.ts';

const MAX_GRACE_MS = 366 * 86_400_000;

const secret = z
  .string()
  .regex(/^\P{Cc}+$/u, 'a secret has no control characters')
  .min(16)
  .max(512);
const newSender = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name is 1 to 64 letters, digits, dots, underscores or hyphens'),
  workspaceId: z.string(),
  clientId: z.string().optional(),
  secret: secret.optional(),
});
const rotation = z.strictObject({ graceMs: z.number().int().min(0).max(MAX_GRACE_MS), secret: secret.optional() });

/** How senders reach this relay: what their configurations are written from. */
export interface SenderPlaces {
  readonly domain: string;
  readonly port: () => number;
  readonly syslogPort: () => number | undefined;
  readonly ruleIdOf: (workspaceId: WorkspaceId) => string;
  readonly roots: () => readonly string[];
}

export interface SendersRoutesParts {
  readonly senders: Senders;
  /** A workspace by its id or its configured name. */
  readonly workspaceNamed: (name: string) => WorkspaceId | undefined;
  readonly places: SenderPlaces;
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** Those who send without a certificate: make them, give them another secret, show what they are configured with. */
export function sendersRoutes({ senders, workspaceNamed, places, audit, log }: SendersRoutesParts): ServerRoute[] {
  const create: Lifecycle.Method = (request, h): ReturnType<Lifecycle.Method> => {
    const { name, secret: given, ...wanted } = parse(newSender, request.payload);
    const workspaceId = readWorkspaceId(wanted.workspaceId) ?? workspaceNamed(wanted.workspaceId);
    if (!workspaceId || workspaceNamed(workspaceId) === undefined)
      throw new RelayError('relay.control.bad-request', `Workspace "${wanted.workspaceId}" is not configured on this relay.`);
    const created = senders.create({ name, workspaceId, clientId: clientIdIn(wanted.clientId), secret: given });
    log.info({ name, workspaceId, agentId: created.sender.agent.agentId }, 'an operator made a sender');
    return h.response({ sender: listed(created.sender), secret: created.secret } satisfies CreatedSender).code(201);
  };
  const rotate: Lifecycle.Method = (request): CreatedSender => {
    const { graceMs, secret: given } = parse(rotation, request.payload ?? {});
    const { agentId } = senderNamed(senders, nameIn(request)).agent;
    const rotated = senders.rotate(agentId, graceMs, given);
    log.info({ agentId, graceMs }, 'an operator gave a sender another secret');
    return { sender: listed(rotated.sender), secret: rotated.secret };
  };
  const show: Lifecycle.Method = (request): SenderCredential => {
    const { agent } = senderNamed(senders, nameIn(request));
    const text = senders.secretOf(agent.agentId);
    if (text === undefined)
      throw new RelayError(
        'relay.control.bad-request',
        `Sender ${agent.hostName} has no secret that is good. Give it one: relay senders rotate ${agent.hostName}`,
      );
    const { domain, port, syslogPort, ruleIdOf, roots } = places;
    return {
      name: agent.hostName,
      clientId: agent.agentId,
      workspaceId: agent.workspaceId,
      secret: text,
      domain,
      port: port(),
      syslogPort: syslogPort(),
      ruleId: ruleIdOf(agent.workspaceId),
      roots: roots().join(''),
    };
  };
  const path = '/senders';
  const onNew = ({ payload }: Request): string => String((payload as { readonly name?: unknown } | null)?.name ?? '').slice(0, 64);
  return [
    { method: 'GET', path, handler: () => senders.list().map(listed) },
    { method: 'POST', path, handler: audited(create, { audit, action: 'sender.create', on: onNew }) },
    { method: 'POST', path: `${path}/{name}/rotate`, handler: audited(rotate, { audit, action: 'sender.rotate' }) },
    { method: 'GET', path: `${path}/{name}/credential`, handler: audited(show, { audit, action: 'sender.show-secret' }) },
  ];
}

function listed({ agent, secrets }: Sender): ListedSender {
  const { agentId, hostName, workspaceId, state, lastSeenAt, receivedBatches } = agent;
  return { name: hostName, clientId: agentId, workspaceId, state, lastSeenAt, receivedBatches, secrets };
}

function senderNamed(senders: Senders, name: string): Sender {
  const agentId = readAgentId(name);
  const found = agentId ? senders.get(agentId) : senders.list().find(({ agent }) => agent.hostName.toLowerCase() === name.toLowerCase());
  if (found) return found;
  throw new RelayError('relay.control.not-found', `There is no sender "${name}". List them with: relay senders list`);
}

function clientIdIn(text: string | undefined): AgentId | undefined {
  if (text === undefined) return undefined;
  const id = readAgentId(text);
  if (id) return id;
  throw new RelayError('relay.control.bad-request', `A client id is a GUID, found "${text.slice(0, 80)}".`);
}
