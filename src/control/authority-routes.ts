import { createPublicKey, type KeyObject, randomUUID } from 'node:crypto';
import type { Lifecycle, ServerRoute } from '@hapi/hapi';
import { z } from 'zod';
import type { EnterAudit } from '../audit/entry.ts';
import type { Authority } from '../authority/authority.ts';
import { type CertificateFacts, toPem } from '../authority/x509.ts';
import { RelayError } from '../errors.ts';
import type { Agent } from '../management-group/agent.ts';
import type { Registry } from '../management-group/registry.ts';
import type { RootsLearnt } from '../management-group/roots-learnt.ts';
import { parseAgentId, parseWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';
import type { AuthorityFacts, CertificateForMachine } from './api.ts';
import { audited } from './operator.ts';

export interface AuthorityControl {
  readonly authority: Pick<Authority, 'describe' | 'rotate' | 'finish' | 'rootFingerprint' | 'roots'>;
  readonly learnt: RootsLearnt;
  /** Milliseconds that a next root is known before it signs. */
  readonly rootOverlapMs: number;
  /** Issues an agent's certificate and keeps its serial. */
  readonly issue: (agent: Agent, publicKey: KeyObject) => { readonly der: Buffer; readonly facts: CertificateFacts };
}

export interface AuthorityRoutesParts extends AuthorityControl {
  readonly registry: Registry;
  readonly serves: (workspaceId: WorkspaceId) => boolean;
  readonly audit: EnterAudit;
}

const wanted = z.strictObject({
  workspaceId: z.string(),
  /** Absent for a machine that is no agent yet. */
  agentId: z.string().optional(),
  hostName: z.string().min(1).max(255),
  /** SubjectPublicKeyInfo, PEM. The private key stays with the command. */
  publicKey: z.string().max(4_096),
});

/** The operator's side of the roots: look, bring in another one, end the overlap, and a certificate for a machine that cannot ask for one. Never a key. */
export function authorityRoutes(parts: AuthorityRoutesParts): ServerRoute[] {
  const { authority, audit } = parts;
  const facts = (): AuthorityFacts => factsOf(parts);
  const rotate = async (): Promise<AuthorityFacts> => {
    await authority.rotate(parts.rootOverlapMs);
    return facts();
  };
  const finish = async (): Promise<AuthorityFacts> => {
    await authority.finish();
    return facts();
  };
  const issue: Lifecycle.Method = (request) => issueForMachine(parts, request.payload);
  const on = (): string => authority.rootFingerprint;
  const onMachine = (_request: unknown, answer: unknown): string => (answer as CertificateForMachine | undefined)?.agent.agentId ?? 'a machine';
  return [
    { method: 'GET', path: '/authority', handler: facts },
    { method: 'POST', path: '/authority/rotate', handler: audited(rotate, { audit, action: 'authority.rotate', on }) },
    { method: 'POST', path: '/authority/finish', handler: audited(finish, { audit, action: 'authority.finish', on }) },
    { method: 'POST', path: '/authority/agent-certificates', handler: audited(issue, { audit, action: 'agent.export', on: onMachine }) },
  ];
}

function factsOf({ authority, learnt, registry }: AuthorityRoutesParts): AuthorityFacts {
  const roots = authority.describe();
  const since = Math.max(learnt.beganAt, ...roots.map(({ knownSince }) => knownSince ?? 0));
  const unaware = learnt
    .unaware(registry.list(), since)
    .map(({ agentId, workspaceId, hostName, lastSeenAt }) => ({ agentId, workspaceId, hostName, lastSeenAt }));
  return { roots, unaware, unawareSince: since };
}

function issueForMachine({ authority, registry, serves, issue }: AuthorityRoutesParts, payload: unknown): CertificateForMachine {
  const parsed = wanted.safeParse(payload);
  if (!parsed.success) throw badRequest(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  const { hostName, ...asked } = parsed.data;
  const workspaceId = parseWorkspaceId(asked.workspaceId);
  if (!serves(workspaceId)) throw badRequest(`Workspace "${workspaceId}" is not configured on this relay.`);
  const agentId = parseAgentId(asked.agentId ?? randomUUID());
  const publicKey = keyOf(asked.publicKey);
  const known = registry.get({ workspaceId, agentId });
  if (known?.state === 'suspended') throw badRequest(`Agent ${agentId} (${known.hostName}) is suspended. Approve it first: relay agents approve ${agentId}`);
  if (!known && asked.agentId !== undefined) throw badRequest(`There is no agent ${agentId} in workspace ${workspaceId}.`);
  const agent = known ?? newAgent(registry, { workspaceId, agentId, hostName });
  const { der, facts } = issue(agent, publicKey);
  if (!registry.addCertificate(agent, facts)) throw badRequest('This key belongs to another agent. Make another one.');
  return { agent, certificate: toPem(der), roots: authority.roots().trusted };
}

function newAgent(registry: Registry, report: Pick<Agent, 'workspaceId' | 'agentId' | 'hostName'>): Agent {
  const approval = { enrolmentKeyId: '', state: 'approved', stateReason: 'an operator exported a certificate for it' } as const;
  registry.enrol({ ...report, operatingSystem: '', certificate: undefined, ...approval });
  const agent = registry.get(report);
  if (!agent) throw new RelayError('relay.internal', `Agent ${report.agentId} was entered and is not there.`);
  return agent;
}

function keyOf(pem: string): KeyObject {
  try {
    return createPublicKey(pem);
  } catch (cause) {
    throw new RelayError('relay.control.bad-request', 'publicKey: it is no public key in PEM.', { cause });
  }
}

function badRequest(message: string): RelayError {
  return new RelayError('relay.control.bad-request', message);
}
