/**
 * Senders: programs without a certificate of their own that sign in with a secret. A sender is an agent like any other: the registry has its
 * state and its workspace, and its id is the client id that it signs in with.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { RelayError } from '../errors.ts';
import { isSameSecret } from '../same-secret.ts';
import type { AgentId, WorkspaceId } from '../workspace/workspace-id.ts';
import { readAgentId } from '../workspace/workspace-id.ts';
import type { Agent } from './agent.ts';
import type { Registry } from './registry.ts';
import type { OpenSecret, SenderSecrets } from './sender-secrets.ts';

/** Letters and digits alone: a secret goes into forms, headers and configuration files as it is, and is base64 for the protocol that wants that. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const SECRET_CHARACTERS = 64;

export interface NewSender {
  readonly name: string;
  readonly workspaceId: WorkspaceId;
  /** The id that it signs in with already; a new one otherwise. */
  readonly clientId?: AgentId | undefined;
  /** The secret that it has already: a workspace key, a client secret; a new one otherwise. */
  readonly secret?: string | undefined;
}

/** A sender as an operator sees it, without its secrets. */
export interface Sender {
  readonly agent: Agent;
  /** The newest first; times in milliseconds since 1970. */
  readonly secrets: readonly { readonly id: string; readonly createdAt: number; readonly expiresAt: number | undefined }[];
}

/** A sender and the secret that it has proved to know. */
export interface KnownSender {
  readonly agent: Agent;
  readonly secret: OpenSecret;
}

export interface Senders {
  /** Makes a sender, approved, and returns its secret once. Throws `relay.sender.name-taken` and `relay.sender.id-taken`. */
  create(wanted: NewSender): { readonly sender: Sender; readonly secret: string };
  /** Gives a sender another secret; those before are good for `graceMs` more. Throws `relay.sender.unknown`. */
  rotate(agentId: AgentId, graceMs: number, secret?: string): { readonly sender: Sender; readonly secret: string };
  /** By name. */
  list(): Sender[];
  get(agentId: AgentId): Sender | undefined;
  /** The newest secret of a sender that is good, for its configuration. */
  secretOf(agentId: AgentId): string | undefined;
  /** Who signs in with this id, or name, and this secret; undefined for anybody else. */
  identify(clientId: string, secret: string): KnownSender | undefined;
  /** Who has this secret, among all. */
  identifyBySecret(secret: string): KnownSender | undefined;
  /** The sender of a workspace with a secret that fits; `fits` gets the text of each. */
  find(workspaceId: WorkspaceId, fits: (secret: string) => boolean): KnownSender | undefined;
  /** The sender with this id, while it still has the secret that is named. */
  withSecret(agentId: AgentId, secretId: string): KnownSender | undefined;
}

export function createSenders(registry: Registry, secrets: SenderSecrets): Senders {
  /** Where a client id was last found: agents are known by workspace and id. */
  const places = new Map<AgentId, WorkspaceId>();

  const agentOf = (agentId: AgentId): Agent | undefined => {
    const known = places.get(agentId);
    const there = known && registry.get({ workspaceId: known, agentId });
    const agent = there ?? registry.all().find((one) => one.agentId === agentId);
    if (agent) places.set(agentId, agent.workspaceId);
    else places.delete(agentId);
    return agent;
  };
  const senderOf = (agent: Agent): Sender => ({
    agent,
    secrets: secrets.of(agent.agentId).map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })),
  });
  const all = (): Agent[] => secrets.owners().flatMap((agentId) => agentOf(agentId) ?? []);
  const named = (clientId: string): Agent | undefined => {
    const agentId = readAgentId(clientId);
    if (agentId && secrets.of(agentId).length > 0) return agentOf(agentId);
    const name = clientId.toLowerCase();
    return all().find(({ hostName }) => hostName.toLowerCase() === name);
  };
  // All are compared, so that the time taken tells nothing.
  const firstThat = (candidates: readonly KnownSender[], fits: (text: string) => boolean): KnownSender | undefined =>
    candidates.filter(({ secret }) => fits(secret.text))[0];
  const secretsOf = (agents: readonly Agent[]): KnownSender[] => agents.flatMap((agent) => secrets.of(agent.agentId).map((secret) => ({ agent, secret })));

  return {
    create({ name, workspaceId, clientId, secret = newSecret() }) {
      const agents = registry.all();
      if (agents.some(({ hostName }) => hostName.toLowerCase() === name.toLowerCase()))
        throw new RelayError(
          'relay.sender.name-taken',
          `There is an agent named "${name}" already. Choose another name, or remove it: relay agents remove ${name}`,
        );
      const agentId = clientId ?? (randomUUID() as AgentId);
      if (agents.some((agent) => agent.agentId === agentId))
        throw new RelayError(
          'relay.sender.id-taken',
          `There is an agent ${agentId} already. Take another client id, or remove it: relay agents remove ${agentId}`,
        );
      const report = { workspaceId, agentId, hostName: name, operatingSystem: '' };
      registry.enrol({ ...report, certificate: undefined, enrolmentKeyId: '', state: 'approved', stateReason: 'an operator made it a sender' });
      secrets.add(agentId, secret);
      return { sender: senderOf(agentOf(agentId) as Agent), secret };
    },
    rotate(agentId, graceMs, secret = newSecret()) {
      const agent = secrets.owners().includes(agentId) ? agentOf(agentId) : undefined;
      if (!agent) throw new RelayError('relay.sender.unknown', `Agent ${agentId} is no sender. List them with: relay senders list`);
      secrets.endBy(agentId, secrets.now() + graceMs);
      secrets.add(agentId, secret);
      return { sender: senderOf(agent), secret };
    },
    list: () =>
      all()
        .sort((a, b) => (a.hostName < b.hostName ? -1 : 1))
        .map(senderOf),
    get(agentId) {
      const agent = secrets.owners().includes(agentId) ? agentOf(agentId) : undefined;
      return agent && senderOf(agent);
    },
    secretOf: (agentId) => secrets.of(agentId)[0]?.text,
    identify(clientId, secret) {
      const agent = named(clientId);
      return firstThat(agent ? secretsOf([agent]) : [], (text) => isSameSecret(text, secret));
    },
    identifyBySecret: (secret) => firstThat(secretsOf(all()), (text) => isSameSecret(text, secret)),
    find: (workspaceId, fits) => firstThat(secretsOf(all().filter((agent) => agent.workspaceId === workspaceId)), fits),
    withSecret(agentId, secretId) {
      const secret = secrets.of(agentId).find(({ id }) => id === secretId);
      const agent = secret && agentOf(agentId);
      return agent && { agent, secret };
    },
  };
}

function newSecret(): string {
  return Array.from({ length: SECRET_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
