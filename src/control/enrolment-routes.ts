import type { Lifecycle, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { ManagementGroup } from '../management-group/management-group.ts';
import { readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { CreatedKey, CreatedToken } from './api.ts';
import { audited } from './operator.ts';
import { nameIn, parse } from './payload.ts';

const newKey = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name is 1 to 64 letters, digits, dots, underscores or hyphens'),
  workspaceId: z.string(),
  expiresAt: z.number().int().positive().optional(),
  maxUses: z.number().int().min(1).max(1_000_000).optional(),
  key: z.base64().min(44).max(400).optional(),
});
const newToken = z.strictObject({
  workspaceId: z.string(),
  agentName: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,255}$/, "an agent's name is a host name or a GUID")
    .optional(),
  expiresAt: z.number().int().positive(),
});

export interface EnrolmentRoutesParts {
  readonly group: Pick<ManagementGroup, 'enrolmentKeys' | 'tokens'>;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly audit: EnterAudit;
  readonly log: Logger;
}

/** What new machines come with: enrolment keys, and tokens that are good once. */
export function enrolmentRoutes(parts: EnrolmentRoutesParts): ServerRoute[] {
  return [...keyRoutes(parts), ...tokenRoutes(parts)];
}

function keyRoutes({ group: { enrolmentKeys }, serves, audit, log }: EnrolmentRoutesParts): ServerRoute[] {
  const create: Lifecycle.Method = (request, h): ReturnType<Lifecycle.Method> => {
    const { key, ...wanted } = parse(newKey, request.payload);
    const workspaceId = servedWorkspace(wanted.workspaceId, serves);
    const created: CreatedKey = enrolmentKeys.create({ ...wanted, workspaceId, key: key === undefined ? undefined : Buffer.from(key, 'base64') });
    log.info({ name: wanted.name, workspaceId }, 'an operator created an enrolment key');
    return h.response(created).code(201);
  };
  const revoke: Lifecycle.Method = (request) => {
    const name = nameIn(request);
    if (!enrolmentKeys.revoke(name)) throw new RelayError('relay.control.not-found', `There is no enrolment key "${name}" that is not revoked already.`);
    log.info({ name }, 'an operator revoked an enrolment key');
    return { revoked: name };
  };
  const path = '/enrolment-keys';
  const on = (request: { payload: unknown }): string => textOf(request.payload, 'name');
  return [
    { method: 'GET', path, handler: () => enrolmentKeys.list() },
    {
      method: 'POST',
      path,
      handler: audited(create, { audit, action: 'enrolment-key.create', on, detail: ({ payload }) => `for workspace ${textOf(payload, 'workspaceId')}` }),
    },
    { method: 'DELETE', path: `${path}/{name}`, handler: audited(revoke, { audit, action: 'enrolment-key.revoke' }) },
  ];
}

function tokenRoutes({ group: { tokens }, serves, audit, log }: EnrolmentRoutesParts): ServerRoute[] {
  const create: Lifecycle.Method = (request, h): ReturnType<Lifecycle.Method> => {
    const wanted = parse(newToken, request.payload);
    const workspaceId = servedWorkspace(wanted.workspaceId, serves);
    const created: CreatedToken = tokens.create({ ...wanted, workspaceId });
    log.info({ tokenId: created.token.id, agentName: wanted.agentName, workspaceId }, 'an operator created a one-time token');
    return h.response(created).code(201);
  };
  const revoke: Lifecycle.Method = (request) => {
    const name = nameIn(request);
    if (!tokens.revoke(name)) throw new RelayError('relay.control.not-found', `There is no one-time token "${name}" that could still be used.`);
    log.info({ name }, 'an operator revoked one-time tokens');
    return { revoked: name };
  };
  const path = '/enrolment-tokens';
  const on = (request: { payload: unknown }): string => textOf(request.payload, 'agentName') || 'any machine';
  return [
    { method: 'GET', path, handler: () => tokens.list() },
    {
      method: 'POST',
      path,
      handler: audited(create, { audit, action: 'enrolment-token.create', on, detail: ({ payload }) => `for workspace ${textOf(payload, 'workspaceId')}` }),
    },
    { method: 'DELETE', path: `${path}/{name}`, handler: audited(revoke, { audit, action: 'enrolment-token.revoke' }) },
  ];
}

function servedWorkspace(text: string, serves: (workspaceId: WorkspaceId) => boolean): WorkspaceId {
  const workspaceId = readWorkspaceId(text);
  if (workspaceId && serves(workspaceId)) return workspaceId;
  throw new RelayError('relay.control.bad-request', `Workspace "${text}" is not configured on this relay.`);
}

// What a command names, also one that is refused.
function textOf(payload: unknown, member: string): string {
  const value: unknown = typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>)[member] : undefined;
  return typeof value === 'string' ? value.slice(0, 255) : '';
}
