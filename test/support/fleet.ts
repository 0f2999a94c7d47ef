/** Machines that send as fast as they are let: each enrolled by the OMS protocol with a certificate of its own, over a connection it keeps. */
import { hash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type RequestOptions, request } from 'node:https';
import type { Socket } from 'node:net';
import { deflateSync } from 'node:zlib';
import { createAgentIdentity, type Identity } from '../../src/authority/agent-identity.ts';
import { fromPem } from '../../src/authority/x509.ts';
import { onboardingHeaders } from '../../src/oms-protocol/onboarding.ts';
import { TOPOLOGY_PATH, UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { writeTopologyRequest } from '../../src/oms-protocol/topology-request.ts';
import { BATCH_ID_HEADER } from '../../src/oms-protocol/upload-headers.ts';
import { type AgentId, parseAgentId, type WorkspaceId } from '../../src/workspace/workspace-id.ts';
import type { Oracle } from './oracle.ts';

const REQUEST_TIMEOUT_MS = 15_000;
const PAUSE_MS = 5;
const PAUSE_AFTER_REFUSAL_MS = 25;

/** Where a relay is, and whom to trust. */
export interface Target {
  readonly port: number;
  readonly rootPem: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The sender's own end of the connection: the same port means the same connection. */
  readonly localPort: number | undefined;
}

/** One machine. */
export interface Machine {
  readonly workspaceId: WorkspaceId;
  readonly agentId: AgentId;
  /** Rejects with the network's error. */
  post(path: string, headers: Readonly<Record<string, string>>, body: Buffer): Promise<Answer>;
  close(): void;
}

/** Makes a machine and enrols it with a workspace's enrolment key. */
export async function enrolMachine(target: Target, workspaceId: WorkspaceId, key: string): Promise<Machine> {
  const agentId = parseAgentId(randomUUID());
  const identity = await createAgentIdentity(workspaceId, agentId, Date.now(), 90);
  const machine = machineOf(target, workspaceId, agentId, identity);
  const certificate = fromPem(identity.certificate);
  const body = Buffer.from(writeTopologyRequest({ hostName: `host-${agentId.slice(0, 8)}`, agentId, certificate, operatingSystem: 'Debian 12' }));
  const headers = onboardingHeaders(workspaceId, Buffer.from(key, 'base64'), body, new Date().toISOString());
  const { status, text } = await machine.post(TOPOLOGY_PATH, headers, body);
  if (status !== 200) throw new Error(`enrolment was answered with ${status}: ${text}`);
  return machine;
}

function machineOf({ port, rootPem }: Target, workspaceId: WorkspaceId, agentId: AgentId, identity: Identity): Machine {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const server = { host: '127.0.0.1', port, servername: 'localhost', ca: rootPem, cert: identity.certificate, key: identity.privateKey, agent };
  return {
    workspaceId,
    agentId,
    post: (path, headers, body) => exchange({ ...server, method: 'POST', path, headers: { ...headers, 'content-length': String(body.length) } }, body),
    close: () => agent.destroy(),
  };
}

async function exchange(options: RequestOptions, body: Buffer): Promise<Answer> {
  const sent = request({ ...options, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  let localPort: number | undefined;
  sent.on('socket', (socket: Socket) => {
    if (socket.connecting) socket.once('connect', () => (localPort = socket.localPort));
    else localPort = socket.localPort;
  });
  sent.end(body);
  const [response] = await once(sent, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { status: response.statusCode ?? 0, headers: response.headers, text, localPort };
}

/** A batch of records like no other, of syslog unless told, deflated, and the hash of its bytes. */
export function createBody(agentId: AgentId, number: number, dataType = 'LINUX_SYSLOGS_BLOB'): { readonly body: Buffer; readonly sha256: string } {
  const items = [0, 1, 2].map((item) => ({ Timestamp: new Date().toISOString(), Host: agentId, Message: `batch ${number} record ${item} ${randomUUID()}` }));
  const body = deflateSync(JSON.stringify({ DataType: dataType, IPName: 'LogManagement', DataItems: items }));
  return { body, sha256: hash('sha256', body) };
}

export const UPLOAD_HEADERS: Readonly<Record<string, string>> = { 'content-type': 'application/json', 'content-encoding': 'deflate' };

export interface Fleet extends AsyncDisposable {
  /** Answers by status; 0 counts connections that failed. */
  answers(status: number): number;
  /** Values of Retry-After that came with a 503. */
  readonly retryAfters: ReadonlySet<string>;
  /** Lets requests under way end. */
  stop(): Promise<void>;
}

export interface FleetOptions {
  readonly machines: readonly Machine[];
  readonly oracle: Oracle;
  /** Batches each machine sends at most; without end unless given. */
  readonly batches?: number;
  /** What each machine sends, in turn; syslog unless given. */
  readonly dataTypes?: readonly string[];
}

/** All machines send, each one batch at a time and each batch until it is acknowledged. */
export function startFleet({ machines, oracle, batches = Number.POSITIVE_INFINITY, dataTypes = ['LINUX_SYSLOGS_BLOB'] }: FleetOptions): Fleet {
  const answers = new Map<number, number>();
  const retryAfters = new Set<string>();
  let stopping = false;

  const note = (status: number, retryAfter: unknown): void => {
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (status === 503) retryAfters.add(String(retryAfter));
  };
  const sendOnce = async (machine: Machine, number: number, dataType?: string): Promise<void> => {
    const { body, sha256 } = createBody(machine.agentId, number, dataType);
    oracle.offered(machine.workspaceId, sha256);
    while (!stopping) {
      const answer = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body).catch(() => undefined);
      note(answer?.status ?? 0, answer?.headers['retry-after']);
      if (answer?.status === 200) {
        oracle.acknowledged({ workspaceId: machine.workspaceId, agentId: machine.agentId, batchId: String(answer.headers[BATCH_ID_HEADER]), sha256 });
        return;
      }
      await pause(PAUSE_AFTER_REFUSAL_MS);
    }
  };
  const run = async (machine: Machine, index: number): Promise<void> => {
    for (let number = 1; number <= batches && !stopping; number += 1) {
      await sendOnce(machine, number, dataTypes[index % dataTypes.length]);
      await pause(PAUSE_MS);
    }
  };
  const runs = machines.map(run);

  const stop = async (): Promise<void> => {
    stopping = true;
    await Promise.all(runs);
  };
  return { answers: (status) => answers.get(status) ?? 0, retryAfters, stop, [Symbol.asyncDispose]: stop };
}

/** Sends so many batches from each machine and waits until all are acknowledged. */
export async function sendBatches(machines: readonly Machine[], oracle: Oracle, batches: number): Promise<void> {
  const before = oracle.count();
  const fleet = startFleet({ machines, oracle, batches });
  const deadline = performance.now() + REQUEST_TIMEOUT_MS;
  while (oracle.count() < before + machines.length * batches && performance.now() < deadline) await pause(PAUSE_MS);
  await fleet.stop();
  if (oracle.count() < before + machines.length * batches) throw new Error(`not all batches were acknowledged; 503 came ${fleet.answers(503)} times`);
}

// Paces the load; nothing depends on its length.
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
