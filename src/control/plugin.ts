/** hapi plugin: the operator's side, on a Unix socket that only its owner may open (mode 0600). Nothing here is reachable from the network. */
import type { Lifecycle, Plugin, Request } from '@hapi/hapi';
import { z } from 'zod';
import type { Cache } from '../cache/cache.ts';
import type { DeadLetters } from '../cache/dead-letters.ts';
import type { LossLedger } from '../cache/loss.ts';
import type { CacheOperations } from '../cache/operations.ts';
import { type ErrorCode, messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Agent, AgentState } from '../management-group/agent.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import type { KeyRotation } from '../workspace/key-rotation.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { AgentDetails, CreatedKey, Status } from './api.ts';
import { cacheRoutes } from './cache-routes.ts';
import { deadLettersRoutes } from './dead-letters-routes.ts';
import { keysRoutes } from './keys-routes.ts';
import { lossesRoutes } from './losses-routes.ts';

export interface ControlPluginOptions {
  readonly group: ManagementGroup;
  readonly deadLetters: DeadLetters;
  /** Puts a batch on its normal way: what is sent again goes there. */
  readonly put: Cache['put'];
  readonly losses: Pick<LossLedger, 'list'>;
  readonly operations: CacheOperations;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly status: () => Status;
  readonly keys: KeyRotation;
  readonly log: Logger;
}

const newKey = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name is 1 to 64 letters, digits, dots, underscores or hyphens'),
  workspaceId: z.string(),
  expiresAt: z.number().int().positive().optional(),
  key: z.base64().min(44).max(400).optional(),
});
const decision = z.strictObject({ reason: z.string().max(200).optional() });

export const controlPlugin: Plugin<ControlPluginOptions> = {
  name: 'control',
  register(server, { group, deadLetters, put, losses, operations, serves, status, keys, log }) {
    const { registry, enrolmentKeys } = group;

    const decide = (state: AgentState, verb: string): Lifecycle.Method => {
      return (request) => {
        const agent = findAgent(registry.list(), nameIn(request));
        const { reason } = parse(decision, request.payload ?? {});
        const changed = registry.setState(agent.workspaceId, agent.agentId, state, reason ?? `${verb} by an operator`);
        log.info({ agentId: agent.agentId, workspaceId: agent.workspaceId, hostName: agent.hostName, state }, 'an operator changed the state of an agent');
        return changed ?? agent;
      };
    };

    const createKey: Lifecycle.Method = (request, h): ReturnType<Lifecycle.Method> => {
      const wanted = parse(newKey, request.payload);
      const workspaceId = readWorkspaceId(wanted.workspaceId);
      if (!workspaceId || !serves(workspaceId))
        throw new RelayError('relay.control.bad-request', `Workspace "${wanted.workspaceId}" is not configured on this relay.`);
      const key = wanted.key === undefined ? undefined : Buffer.from(wanted.key, 'base64');
      const created: CreatedKey = enrolmentKeys.create({ name: wanted.name, workspaceId, expiresAt: wanted.expiresAt, key });
      log.info({ name: wanted.name, workspaceId }, 'an operator created an enrolment key');
      return h.response(created).code(201);
    };

    const revokeKey: Lifecycle.Method = (request) => {
      const name = nameIn(request);
      if (!enrolmentKeys.revoke(name)) throw new RelayError('relay.control.not-found', `There is no enrolment key "${name}" that is not revoked already.`);
      log.info({ name }, 'an operator revoked an enrolment key');
      return { revoked: name };
    };

    const showAgent: Lifecycle.Method = (request): AgentDetails => {
      const agent = findAgent(registry.list(), nameIn(request));
      return { agent, certificates: registry.certificatesOf(agent) };
    };

    server.route([
      { method: 'GET', path: '/status', handler: () => status() },
      { method: 'GET', path: '/agents', handler: () => registry.list() },
      { method: 'GET', path: '/agents/{name}', handler: showAgent },
      { method: 'POST', path: '/agents/{name}/approve', handler: decide('approved', 'approved') },
      { method: 'POST', path: '/agents/{name}/suspend', handler: decide('suspended', 'suspended') },
      { method: 'GET', path: '/enrolment-keys', handler: () => enrolmentKeys.list() },
      { method: 'POST', path: '/enrolment-keys', handler: createKey },
      { method: 'DELETE', path: '/enrolment-keys/{name}', handler: revokeKey },
      ...deadLettersRoutes({ deadLetters, put, log }),
      ...keysRoutes(keys),
      ...lossesRoutes(losses),
      ...cacheRoutes({ operations, serves, log }),
    ]);
    server.ext('onPreResponse', (request, h) => {
      const { response } = request;
      if (!('isBoom' in response)) return h.continue;
      const { statusCode } = response.output;
      const own = response instanceof RelayError;
      const error = asRelayError(response, statusCode, request);
      if (error.code === 'relay.internal') log.error({ path: request.path, err: response }, 'a command failed');
      const status = own ? statusOf(error.code) : statusCode;
      return h.response({ error: { code: error.code, message: error.message } }).code(status);
    });
  },
};

function asRelayError(thrown: Error, status: number, { method, path }: Request): RelayError {
  if (thrown instanceof RelayError) return thrown;
  if (status === 404)
    return new RelayError('relay.control.not-found', `This relay does not know the command ${method.toUpperCase()} ${path}. Use the same release for both.`);
  return new RelayError(status < 500 ? 'relay.control.bad-request' : 'relay.internal', messageOf(thrown));
}

function statusOf(code: ErrorCode): number {
  return code === 'relay.control.not-found' ? 404 : 400;
}

/** One agent by its GUID, the beginning of it, or its host name; `<workspace>/<agent>` where an agent serves two workspaces. Throws when there is none, or more than one. */
export function findAgent(agents: readonly Agent[], name: string): Agent {
  const [wanted = '', workspace] = name.toLowerCase().split('/').reverse();
  const ofWorkspace = agents.filter((agent) => workspace === undefined || agent.workspaceId.startsWith(workspace));
  const exact = ofWorkspace.filter((agent) => agent.agentId === wanted);
  const found = exact.length > 0 ? exact : ofWorkspace.filter((agent) => agent.agentId.startsWith(wanted) || agent.hostName.toLowerCase() === wanted);
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

function nameIn(request: Request): string {
  return String((request.params as { name?: unknown }).name ?? '');
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RelayError('relay.control.bad-request', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}
