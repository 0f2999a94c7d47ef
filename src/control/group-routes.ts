import { hostname } from 'node:os';
import type { Request, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Heard } from '../group/hearsay.ts';
import type { GroupStatus } from '../group/status.ts';
import type { Steering } from '../group/steering.ts';
import type { AgentKey } from '../management-group/agent.ts';
import { audited, byOperator, type Handler } from './operator.ts';
import { nameIn, parse } from './payload.ts';

export interface RelayGroupControl {
  readonly steering: Steering;
  readonly status: () => GroupStatus | undefined;
  /** What another relay of the group has heard of an agent. */
  readonly heardElsewhere: (agent: AgentKey) => Heard | undefined;
  /** Throws `relay.group.not-primary` where the relay must not decide what concerns the whole group. */
  readonly decidesHere: () => void;
}

const beginning = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name is 1 to 64 letters, digits, dots, underscores or hyphens')
    .optional(),
  address: z.url({ protocol: /^https$/, error: 'an address is https://host or https://host:port' }).max(300),
});
const joining = beginning.extend({ token: z.string().max(8_192) });
const promotion = z.strictObject({ primaryLost: z.boolean().default(false) });

const MAX_ON_CHARS = 255;
/** What the whole group shares: a member refuses to change it. */
const SHARED = ['/agents', '/enrolment-keys', '/enrolment-tokens', '/senders', '/authority', '/solutions'];

/** Whether a command changes what the whole group shares. */
export function concernsGroup({ method, path }: Pick<Request, 'method' | 'path'>): boolean {
  return method !== 'get' && SHARED.some((shared) => path === shared || path.startsWith(`${shared}/`));
}

/** Throws `relay.group.not-primary` where another relay decides, and enters that it was tried here. */
export function mustDecideHere(request: Request, { decidesHere }: Pick<RelayGroupControl, 'decidesHere'>, audit: EnterAudit): void {
  try {
    decidesHere();
  } catch (error) {
    const on = `${request.method} ${request.path}`.slice(0, MAX_ON_CHARS);
    audit({ ...byOperator(request), action: 'group.refuse', on, result: 'refused', detail: messageOf(error) });
    throw error;
  }
}

/** Several relays as one group: look, begin, invite, take over, leave. */
export function groupRoutes({ steering, status }: Pick<RelayGroupControl, 'steering' | 'status'>, audit: EnterAudit): ServerRoute[] {
  const look = (): GroupStatus => {
    const found = status();
    if (found) return found;
    throw new RelayError('relay.control.not-found', 'This relay is in no group. Begin one with: relay group init; or join one with: relay group join');
  };
  const init: Handler = async (request) => {
    const { name = hostname(), address } = parse(beginning, request.payload);
    await steering.init(name, address);
    return look();
  };
  const join: Handler = async (request) => {
    const { token, name = hostname(), address } = parse(joining, request.payload);
    await steering.join(token, { name, address });
    return look();
  };
  const promote: Handler = async (request) => {
    await steering.promote(parse(promotion, request.payload ?? {}).primaryLost);
    return look();
  };
  const remove: Handler = async (request) => {
    await steering.remove(nameIn(request));
    return look();
  };
  const leave: Handler = async () => {
    await steering.leave();
    return { left: true };
  };
  const on = (): string => status()?.name ?? 'group';
  return [
    { method: 'GET', path: '/group', handler: look },
    { method: 'POST', path: '/group', handler: audited(init, { audit, action: 'group.init', on }) },
    { method: 'POST', path: '/group/join', handler: audited(join, { audit, action: 'group.join', on }) },
    { method: 'POST', path: '/group/tokens', handler: audited(() => steering.createToken(), { audit, action: 'group.token', on }) },
    { method: 'POST', path: '/group/promote', handler: audited(promote, { audit, action: 'group.promote', on }) },
    { method: 'POST', path: '/group/leave', handler: audited(leave, { audit, action: 'group.leave', on }) },
    { method: 'DELETE', path: '/group/members/{name}', handler: audited(remove, { audit, action: 'group.remove' }) },
  ];
}
