import { randomUUID, X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import { createAgentIdentity, type Identity } from '../authority/agent-identity.ts';
import { fromPem, readCertificate } from '../authority/x509.ts';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import { onboardingHeaders } from '../oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH } from '../oms-protocol/paths.ts';
import { type AgentId, parseAgentId, readAgentId, type WorkspaceId } from '../workspace/workspace-id.ts';
import { type AgentSettings, readIdentity, writeIdentity, writeRoot, writeSettings } from './agent-folder.ts';
import { type Answer, createConnection } from './connection.ts';
import { operatingSystemOf, readHost } from './host.ts';
import type { Refusal } from './refusal.ts';
import { readCheckIn, serviceHeaders, topologyBody } from './topology.ts';
import { type Trust, trustedRoot } from './trust.ts';

const CERTIFICATE_DAYS = 90;
const MAX_NAME_CHARACTERS = 255;

export interface EnrolOptions {
  /** The agent's data folder; made when it is not there. */
  readonly folder: string;
  /** The relay's address: https, host and port. */
  readonly relay: string;
  /** Other relays of the same group, tried in this order when that one does not answer. */
  readonly otherRelays?: readonly string[];
  readonly workspaceId: WorkspaceId;
  /** The enrolment key, base64. */
  readonly key: string;
  readonly trust: Trust;
  /** How the relay will list this machine; its host name unless given. */
  readonly hostName?: string | undefined;
  readonly clock: Clock;
}

export type EnrolOutcome = { readonly outcome: 'enrolled'; readonly settings: AgentSettings } | ({ readonly outcome: 'refused' } & Refusal);

/**
 * Enrols this machine (§1.5): makes its GUID and key pair unless it has them, signs one topology request with the enrolment key, and
 * keeps what the relay answered. Throws `relay.agent.untrusted`, `relay.agent.unreachable` or `relay.agent.bad-options`.
 */
export async function enrolAgent(options: EnrolOptions): Promise<EnrolOutcome> {
  const { relay, otherRelays = [] } = options;
  const [first, ...others] = [relay, ...otherRelays].map(relayAddress);
  if (!first) throw badOptions('Name a relay.');
  readKey(options.key);
  return await enrolAtFirst(first, others, [], options);
}

// The next one only when there was no answer: a refusal is the whole group's.
async function enrolAtFirst(relay: URL, next: readonly URL[], silent: readonly URL[], options: EnrolOptions): Promise<EnrolOutcome> {
  try {
    return await enrolAt(relay, [...next, ...silent], options);
  } catch (thrown) {
    const [following, ...rest] = next;
    if (!following || !(thrown instanceof RelayError) || thrown.code !== 'relay.agent.unreachable') throw thrown;
    return await enrolAtFirst(following, rest, [...silent, relay], options);
  }
}

async function enrolAt(relay: URL, others: readonly URL[], options: EnrolOptions): Promise<EnrolOutcome> {
  const { folder, workspaceId, clock } = options;
  const key = readKey(options.key);
  const root = await trustedRoot(relay, options.trust);
  const { agentId, identity } = await ownIdentity(folder, workspaceId, clock.now());
  const hostName = (options.hostName ?? hostname()).slice(0, MAX_NAME_CHARACTERS);
  const host = await readHost(hostName);

  const body = Buffer.from(topologyBody({ hostName, agentId, certificate: identity.certificate, operatingSystem: operatingSystemOf(host) }));
  const answer = await postOnce({ relay: relay.origin, root, identity }, body, {
    ...serviceHeaders(clock.now()),
    ...onboardingHeaders(workspaceId, key, body, new Date(clock.now()).toISOString()),
  });
  const result = readCheckIn(answer);
  if (result.outcome === 'refused') return result;

  const { renewalAddress, topologyIntervalS } = result.reply;
  const relays = others.length > 0 ? { relays: others.map(({ origin }) => origin) } : {};
  const settings = { relay: relay.origin, ...relays, workspaceId, agentId, hostName, renewalAddress, topologyIntervalS };
  await writeRoot(folder, root);
  await writeSettings(folder, settings);
  return { outcome: 'enrolled', settings };
}

async function postOnce(to: Parameters<typeof createConnection>[0], body: Buffer, headers: Record<string, string>): Promise<Answer> {
  const connection = createConnection(to);
  try {
    return await connection.post(TOPOLOGY_PATH, headers, body);
  } finally {
    await connection.close();
  }
}

// The certificate on disk says which GUID this machine is; one that is over is replaced, the GUID stays. One that is ageing is renewed later.
async function ownIdentity(folder: string, workspaceId: WorkspaceId, nowMs: number): Promise<{ agentId: AgentId; identity: Identity }> {
  const existing = await readIdentity(folder);
  const [workspace, agent] = existing ? (readCertificate(fromPem(existing.certificate))?.commonNames ?? []) : [];
  if (workspace !== undefined && workspace !== workspaceId) {
    throw badOptions(`The folder ${folder} belongs to workspace ${workspace}, not ${workspaceId}. Give each workspace its own --data folder.`);
  }
  const agentId = readAgentId(agent ?? '') ?? parseAgentId(randomUUID());
  if (existing && agent && nowMs < new X509Certificate(existing.certificate).validToDate.getTime()) return { agentId, identity: existing };
  const identity = await createAgentIdentity(workspaceId, agentId, nowMs, CERTIFICATE_DAYS);
  await writeIdentity(folder, identity);
  return { agentId, identity };
}

function relayAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '') return url;
  throw badOptions("The relay's address must be https://host or https://host:port, without a user name.");
}

// The key itself is never repeated in a message.
function readKey(text: string): Buffer {
  const base64 = text.trim();
  if (/^[A-Za-z0-9+/]{4,}={0,2}$/.test(base64)) return Buffer.from(base64, 'base64');
  throw badOptions(`The enrolment key must be base64 as the relay printed it; the file holds ${text.length} characters that are not.`);
}

function badOptions(message: string): RelayError {
  return new RelayError('relay.agent.bad-options', message);
}
