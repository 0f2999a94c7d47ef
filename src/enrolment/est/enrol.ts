/**
 * Enrolment by EST: from credential, name and public key to an agent, and to its certificate once it is approved. The rule that guards
 * agents against each other: an agent is known by its public key. A name that is an agent's already is given to no other key, unless an
 * operator has made a one-time token for that very name.
 */
import { createHash, type KeyObject, randomUUID } from 'node:crypto';
import { type ErrorCode, RelayError } from '../../errors.ts';
import type { Agent } from '../../management-group/agent.ts';
import { approvalOf } from '../../management-group/approval.ts';
import { type AgentId, parseAgentId, readAgentId } from '../../workspace/workspace-id.ts';
import type { EnrolParts } from '../enrol.ts';
import type { Credential } from './credentials.ts';
import { type IssueParts, issue } from './issue.ts';

export interface EstEnrolParts extends EnrolParts, IssueParts {}

export interface EstAttempt {
  /** The user name: the machine's host name, or an agent's id. */
  readonly name: string;
  readonly credential: Credential;
  /** Of a signing request whose signature was good. */
  readonly publicKey: KeyObject;
}

export interface EstRefusal {
  readonly outcome: 'refused';
  readonly code: ErrorCode;
  readonly message: string;
}

export type EstEnrolment =
  | { readonly outcome: 'issued'; readonly agent: Agent; readonly certificate: Buffer }
  | { readonly outcome: 'pending'; readonly agent: Agent; readonly isNew: boolean }
  | EstRefusal;

const NAME = /^[A-Za-z0-9._-]{1,253}$/;

/** One word for every credential that does not let this machine in, so that nobody learns which part of it was wrong. */
export const BAD_CREDENTIALS: EstRefusal = refused(
  'relay.enrolment.bad-credentials',
  'Name and password are no agent name with an enrolment key or a one-time token that can be used. List them with: relay enrolment-key list, relay enrolment-token list',
);

/** Enrols a machine, or gives a known one its certificate. */
export function enrolByEst(parts: EstEnrolParts, attempt: EstAttempt): EstEnrolment {
  const { group } = parts;
  const { credential, publicKey } = attempt;
  if (!NAME.test(attempt.name))
    return refused('relay.enrolment.bad-request', 'The user name is no host name or agent id: 1 to 253 letters, digits, dots, underscores or hyphens.');
  const keyHash = hashOf(publicKey);
  if (!mayUse(parts, attempt, keyHash)) return BAD_CREDENTIALS;
  const found = findAgent(parts, attempt, keyHash);
  if ('outcome' in found) return found;
  const agent = enter(parts, attempt, found);
  if (agent.state === 'suspended') return refused('relay.agent.suspended', `Agent ${agent.agentId} (${agent.hostName}) is suspended: ${agent.stateReason}.`);
  const { workspaceId, agentId } = agent;
  const tokenId = credential.kind === 'token' ? credential.token.id : undefined;
  group.agentKeys.note({ workspaceId, agentId, keyHash, tokenId });
  if (agent.state === 'pending') return { outcome: 'pending', agent, isNew: 'newId' in found };
  if (tokenId !== undefined && !group.tokens.redeem(tokenId)) return BAD_CREDENTIALS;
  const { der, facts } = issue(parts, agent, publicKey);
  group.registry.enrol({ ...agent, certificate: facts });
  if (credential.kind === 'key') group.enrolmentKeys.countUse(credential.id);
  return { outcome: 'issued', agent, certificate: der };
}

// While its agent waits for approval a token is not used up, but it is the first key's alone.
function mayUse({ group }: EstEnrolParts, { name, credential }: EstAttempt, keyHash: string): boolean {
  if (credential.kind === 'key') return true;
  const { id, agentName } = credential.token;
  const first = group.agentKeys.ofToken(id);
  return (first === undefined || first.keyHash === keyHash) && (agentName === undefined || agentName.toLowerCase() === name.toLowerCase());
}

// An agent by its key, or else by its name; an id for a new one when there is none.
function findAgent(
  { group }: EstEnrolParts,
  { name, credential }: EstAttempt,
  keyHash: string,
): { readonly agent: Agent } | { readonly newId: AgentId } | EstRefusal {
  const { registry, agentKeys } = group;
  const { workspaceId } = credential;
  const byKey = agentKeys.find(workspaceId, keyHash);
  const own = byKey && registry.get(byKey);
  const forName = credential.kind === 'token' ? credential.token.agentName : undefined;
  if (own && (forName === undefined || isCalled(own, forName))) return { agent: own };
  const named = registry.list().filter((agent) => agent.workspaceId === workspaceId && isCalled(agent, name));
  const [first, second] = named;
  if (!own && !first) return { newId: readAgentId(name) ?? parseAgentId(randomUUID()) };
  if (!own && first && !second && forName !== undefined) return { agent: first };
  return refused(
    'relay.enrolment.name-taken',
    first
      ? `${name} is an agent already (${first.agentId}), with another key. Make a one-time token for it: relay enrolment-token create --workspace ${workspaceId} --agent ${second ? '<agent id>' : name}; or remove it: relay agents remove ${first.agentId}`
      : `The key in the signing request is another agent's (${own?.agentId}). Make a new key on this machine.`,
  );
}

function enter(parts: EstEnrolParts, { name, credential }: EstAttempt, found: { readonly agent: Agent } | { readonly newId: AgentId }): Agent {
  const { registry } = parts.group;
  const { workspaceId } = credential;
  const byToken = credential.kind === 'token' && credential.token.agentName !== undefined ? `approved by one-time token ${credential.token.id}` : undefined;
  if ('agent' in found) {
    const { agentId, state } = found.agent;
    return (state === 'pending' && byToken !== undefined ? registry.setState(workspaceId, agentId, 'approved', byToken) : undefined) ?? found.agent;
  }
  const agentId = found.newId;
  const approval = byToken ?? approvalByRule(parts, name, credential);
  const state = approval === undefined ? 'pending' : 'approved';
  const stateReason = approval ?? `waits for: relay agents approve ${agentId}`;
  const enrolmentKeyId = credential.kind === 'key' ? credential.id : `token ${credential.token.id}`;
  registry.enrol({ workspaceId, agentId, hostName: name, operatingSystem: '', certificate: undefined, enrolmentKeyId, state, stateReason });
  const entered = registry.get({ workspaceId, agentId });
  if (!entered) throw new RelayError('relay.internal', `Agent ${agentId} was entered and is not there.`);
  return entered;
}

function approvalByRule({ approve, groups }: EstEnrolParts, hostName: string, credential: Credential): string | undefined {
  const { workspaceId } = credential;
  return approvalOf({ hostName, enrolmentKeyName: credential.kind === 'key' ? credential.keyName : '', workspaceId }, approve, groups);
}

function isCalled({ agentId, hostName, displayName }: Agent, name: string): boolean {
  const wanted = name.toLowerCase();
  return agentId === wanted || hostName.toLowerCase() === wanted || displayName?.toLowerCase() === wanted;
}

function hashOf(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

function refused(code: ErrorCode, message: string): EstRefusal {
  return { outcome: 'refused', code, message };
}
