/**
 * The agent's data folder: agent.json (what it was told at enrolment), agent.pem and agent.key (who it is), root.pem (whom it trusts).
 * agent.pem and agent.key always belong together: a renewed pair is written beside the old one first, and a swap that was cut short is
 * finished when the pair is read.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Identity } from '../authority/agent-identity.ts';
import { RelayError } from '../errors.ts';
import { makePrivateFolder, readFileIfAny, syncFolder, writeFileAtomic } from '../files.ts';
import { type AgentId, readAgentId, readWorkspaceId, type WorkspaceId } from '../workspace/workspace-id.ts';

/** What an enrolled agent remembers in agent.json. */
export interface AgentSettings {
  /** The relay's address, such as `https://relay.example.org:8443`. */
  readonly relay: string;
  /** The other relays of its group that were named when it enrolled; the relay itself names them from the first check-in on. */
  readonly relays?: readonly string[] | undefined;
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** How records and the relay's list of agents call this machine. */
  readonly hostName: string;
  /** Where a new certificate is sent, as the relay said it last. */
  readonly renewalAddress: string;
  /** Seconds between topology requests, as the relay said it last. */
  readonly topologyIntervalS: number;
}

/** Everything the agent needs to speak to its relay. */
export interface Enrolment {
  readonly settings: AgentSettings;
  readonly identity: Identity;
  /** PEM of the relay's root certificate. */
  readonly root: string;
}

const NEW = '.new';

/** Reads an enrolled agent's folder. Throws `relay.agent.not-enrolled` when a part is missing or unreadable. */
export async function readEnrolment(folder: string): Promise<Enrolment> {
  const [settings, identity, root] = await Promise.all([readSettings(folder), readIdentity(folder), readFileIfAny(join(folder, 'root.pem'))]);
  if (settings && identity && root) return { settings, identity, root: root.toString() };
  const missing = [settings ? '' : 'agent.json', identity ? '' : 'agent.pem and agent.key that belong together', root ? '' : 'root.pem'];
  throw new RelayError(
    'relay.agent.not-enrolled',
    `The folder ${folder} is not an enrolled agent's: it lacks ${missing.filter(Boolean).join(', ')}. Enrol first: relay agent enrol --data ${folder} …`,
  );
}

/** Reads agent.json; undefined when there is none or it is damaged. */
export async function readSettings(folder: string): Promise<AgentSettings | undefined> {
  const text = await readFileIfAny(join(folder, 'agent.json'));
  try {
    return text && checked(JSON.parse(text.toString()));
  } catch {
    return undefined;
  }
}

function checked(value: Partial<Record<keyof AgentSettings, unknown>> | null): AgentSettings | undefined {
  const workspaceId = readWorkspaceId(String(value?.workspaceId));
  const agentId = readAgentId(String(value?.agentId));
  const { relay, relays, hostName, renewalAddress, topologyIntervalS } = value ?? {};
  if (!workspaceId || !agentId || typeof relay !== 'string' || !URL.canParse(relay)) return undefined;
  if (typeof hostName !== 'string' || typeof renewalAddress !== 'string' || typeof topologyIntervalS !== 'number') return undefined;
  const others = Array.isArray(relays) ? relays.filter((one): one is string => typeof one === 'string' && URL.canParse(one)) : [];
  return { relay, ...(others.length > 0 ? { relays: others } : {}), workspaceId, agentId, hostName, renewalAddress, topologyIntervalS };
}

/** Writes agent.json. */
export async function writeSettings(folder: string, settings: AgentSettings): Promise<void> {
  await makePrivateFolder(folder);
  await writeFileAtomic(join(folder, 'agent.json'), `${JSON.stringify(settings, null, 2)}\n`);
}

/** Writes root.pem: from now on no other root is trusted. */
export async function writeRoot(folder: string, pem: string): Promise<void> {
  await makePrivateFolder(folder);
  await writeFileAtomic(join(folder, 'root.pem'), pem, 0o644);
}

/** Reads the agent's pair; undefined when there is none, or the files do not belong together. */
export async function readIdentity(folder: string): Promise<Identity | undefined> {
  const current = await readPair(folder, 'agent.pem');
  if (!current.privateKey || isPair(current)) return current.privateKey ? current : undefined;
  // The key was renamed and the certificate not yet: a swap that was cut short.
  const renewed = await readPair(folder, `agent.pem${NEW}`);
  if (!isPair(renewed)) return undefined;
  await rename(join(folder, `agent.pem${NEW}`), join(folder, 'agent.pem'));
  return renewed;
}

/** Puts a pair in the old one's place, so that a crash at any moment leaves one of the two. */
export async function writeIdentity(folder: string, identity: Identity): Promise<void> {
  await makePrivateFolder(folder);
  await writeFileAtomic(join(folder, `agent.pem${NEW}`), identity.certificate, 0o644);
  await writeFileAtomic(join(folder, `agent.key${NEW}`), identity.privateKey);
  await rename(join(folder, `agent.key${NEW}`), join(folder, 'agent.key'));
  await rename(join(folder, `agent.pem${NEW}`), join(folder, 'agent.pem'));
  await syncFolder(folder);
}

async function readPair(folder: string, certificateName: string): Promise<Identity> {
  const [certificate, privateKey] = await Promise.all([readFileIfAny(join(folder, certificateName)), readFileIfAny(join(folder, 'agent.key'))]);
  return { certificate: certificate?.toString() ?? '', privateKey: privateKey?.toString() ?? '' };
}

function isPair(identity: Identity): boolean {
  try {
    return new X509Certificate(identity.certificate).checkPrivateKey(createPrivateKey(identity.privateKey));
  } catch {
    return false;
  }
}
