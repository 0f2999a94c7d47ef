import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { deflateSync } from 'node:zlib';
import { createAgentIdentity, type Identity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { startEngine } from '../../src/local-workspace/engine/engine-client.ts';
import type { HostedWorkspace } from '../../src/local-workspace/hosted-workspace.ts';
import type { Upload } from '../../src/local-workspace/intake/upload.ts';
import { keysSettings } from '../../src/local-workspace/keys/keys-settings.ts';
import { createServiceKeyProvider } from '../../src/local-workspace/keys/service-key-provider.ts';
import { createServiceKeys } from '../../src/local-workspace/keys/service-keys.ts';
import { createLocalWorkspace, type Listening, type LocalWorkspace, type LocalWorkspaceOptions } from '../../src/local-workspace/local-workspace.ts';
import { openWorkspace } from '../../src/local-workspace/open-workspace.ts';
import { silentLogger } from '../../src/logger.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { type AgentId, parseAgentId, parseWorkspaceId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';

export const BANK: WorkspaceId = parseWorkspaceId('11111111-1111-4111-8111-111111111111');
export const PLANT: WorkspaceId = parseWorkspaceId('22222222-2222-4222-8222-222222222222');

const AGENT = parseAgentId('33333333-3333-4333-8333-333333333333');
const KEYS = new Map([BANK, PLANT].map((id, at) => [id, Buffer.alloc(64, at + 1)]));

/** A folder that is gone after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'relay-local-workspace-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The two workspaces' keys, in base64. */
export function keyOf(id: WorkspaceId): string {
  return (KEYS.get(id) ?? Buffer.alloc(64)).toString('base64');
}

export function optionsFor(dataFolder: string, more: Partial<LocalWorkspaceOptions> = {}): LocalWorkspaceOptions {
  const workspaces = [BANK, PLANT].map((id) => ({ id, key: keyOf(id) }));
  return { dataFolder, address: '127.0.0.1', port: 0, names: ['localhost', '127.0.0.1'], workspaces, ...more };
}

export interface Rig {
  readonly local: LocalWorkspace;
  readonly listening: Listening;
  readonly dataFolder: string;
}

/** A local workspace with two workspaces, stopped after the test. */
export async function startRig(t: TestContext, more: Partial<LocalWorkspaceOptions> = {}, clock: Clock = systemClock): Promise<Rig> {
  const dataFolder = more.dataFolder ?? (await temporaryFolder(t));
  const local = createLocalWorkspace(optionsFor(dataFolder, more), { clock, log: silentLogger });
  t.after(() => local.stop());
  return { local, listening: await local.start(), dataFolder };
}

export interface Alone {
  readonly dataFolder: string;
  readonly id?: WorkspaceId;
  /** In base64. */
  readonly key?: string;
  readonly clock?: Clock;
}

/** A workspace alone, without a service in front of it, under the service's own key; closed after the test. */
export async function openAlone(t: TestContext, { dataFolder, id = BANK, key = keyOf(id), clock = systemClock }: Alone): Promise<HostedWorkspace> {
  await using parts = new AsyncDisposableStack();
  const log = silentLogger;
  let workspace: HostedWorkspace | undefined;
  const engine = startEngine({ log, onEvent: (event) => workspace?.stage?.engineSaid(event), onEnd: () => workspace?.stage?.engineEnded() });
  parts.defer(() => engine.close());
  const provider = createServiceKeyProvider(createServiceKeys({ path: join(dataFolder, 'keys', 'service-keys.json'), clock }));
  const opened = await openWorkspace({ dataFolder, id, key, provider, keys: keysSettings.parse({}), engine, clock, log });
  workspace = opened;
  parts.defer(() => opened.close());
  const closing = parts.move();
  t.after(() => closing.disposeAsync());
  return opened;
}

export interface TestAgent {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  readonly identity: Identity;
}

/** An agent with a certificate of its own, not yet known to anybody. */
export async function createAgent(workspaceId: WorkspaceId, nowMs: number = Date.now()): Promise<TestAgent> {
  const agentId = parseAgentId(randomUUID());
  return { workspaceId, agentId, identity: await createAgentIdentity(workspaceId, agentId, nowMs, 90) };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Post {
  readonly path: string;
  readonly body: Buffer | string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
}

/** One POST over a connection of its own. Rejects with the network's error. */
export function post(listening: Pick<Listening, 'port' | 'rootPem'>, identity: Identity | undefined, { path, body, headers, signal }: Post): Promise<Reply> {
  const client = identity ? { cert: identity.certificate, key: identity.privateKey } : {};
  const server = { host: '127.0.0.1', port: listening.port, servername: 'localhost', ca: listening.rootPem };
  return new Promise((resolve, reject) => {
    const options = { ...server, ...client, method: 'POST', path, agent: false, ...(headers ? { headers } : {}), ...(signal ? { signal } : {}) };
    const sent = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Onboards an agent with its workspace's key, or with another's. */
export function onboard(listening: Listening, agent: TestAgent, key: WorkspaceId = agent.workspaceId, nowMs: number = Date.now()): Promise<Reply> {
  const certificate = fromPem(agent.identity.certificate);
  const body = Buffer.from(writeTopologyRequest({ hostName: 'web01', agentId: agent.agentId, certificate, operatingSystem: 'Debian 12' }));
  const headers = onboardingHeaders(agent.workspaceId, Buffer.from(keyOf(key), 'base64'), body, new Date(nowMs).toISOString());
  return post(listening, agent.identity, { path: TOPOLOGY_PATH, body, headers });
}

/** An agent that is onboarded. */
export async function onboardedAgent(listening: Listening, workspaceId: WorkspaceId, nowMs: number = Date.now()): Promise<TestAgent> {
  const agent = await createAgent(workspaceId, nowMs);
  await onboard(listening, agent, workspaceId, nowMs);
  return agent;
}

/** When the messages of `syslog` were written: the beginning of the minute in which the tests began. */
export const SENT_AT: string = new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString();

/** A syslog upload of these messages, deflated. */
export function syslog(messages: readonly string[], headers: Record<string, string> = {}): Post {
  const items = messages.map((message) => ({ Timestamp: SENT_AT, Host: 'web01', Message: message }));
  const body = deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: items }));
  return { path: UPLOAD_PATH, body, headers: { 'content-type': 'application/json', 'content-encoding': 'deflate', ...headers } };
}

/** An upload as the service hands it on, of records of this data type. */
export function uploadOf(dataType: string, items: readonly object[], more: Partial<Upload> = {}): Upload {
  const body = Buffer.from(JSON.stringify({ DataType: dataType, DataItems: items }));
  const content = { shape: 'envelope' } as const;
  return { batchId: randomUUID(), agentId: AGENT, senderId: AGENT, receivedAt: 0, content, encoding: 'identity', body, ...more };
}

/** What an outcome was: a status, or the code of the network's error. */
export async function outcomeOf(reply: Promise<Reply>): Promise<number | string> {
  try {
    return (await reply).status;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).name;
  }
}
