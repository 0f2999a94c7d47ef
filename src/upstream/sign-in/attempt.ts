/**
 * One try to sign in, and the way its requests go. The library makes its requests through `libraryClient`, which hands each to the try that it
 * belongs to: nothing of the library's own opens a connection, and what the service said is seen as it came.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFile } from 'node:fs/promises';
import { getCACertificates } from 'node:tls';
import type { ClientSecretCredentialOptions } from '@azure/identity';
import { Agent } from 'undici';
import { messageOf, RelayError } from '../../errors.ts';
import { connectorBy } from '../http-client.ts';
import type { Road } from '../path/road.ts';

/** Of an answer, so much is read. */
const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

type LibraryClient = NonNullable<ClientSecretCredentialOptions['httpClient']>;
type LibraryRequest = Parameters<LibraryClient['sendRequest']>[0];
type LibraryAnswer = Awaited<ReturnType<LibraryClient['sendRequest']>>;

export interface AttemptParts {
  /** The only road that connections take; the system's own way when undefined. */
  readonly road: Road | undefined;
  /** Absolute path of a PEM with the authorities to trust; the system's unless given. */
  readonly trustFile: string | undefined;
  /** Only the machine's own agent may be asked (Azure Arc): no request leaves the machine. */
  readonly isLocal: boolean;
  readonly signal: AbortSignal;
}

/** What a try has seen of the sign-in service. */
export interface Seen {
  /** Host of the last request. */
  host?: string;
  /** The last answer. */
  answer?: { readonly status: number; readonly text: string };
  /** Why the last request had no answer. */
  failure?: string;
}

interface Attempt {
  readonly seen: Seen;
  readonly agent: Agent;
  readonly isLocal: boolean;
  readonly signal: AbortSignal;
}

const attempts = new AsyncLocalStorage<Attempt>();

/** What the library sends its requests with. The managed identity's source keeps it for the life of the process, so it must not belong to one try. */
export const libraryClient: LibraryClient = {
  sendRequest(request) {
    const attempt = attempts.getStore();
    if (!attempt) return Promise.reject(new RelayError('relay.internal', 'The sign-in library sent a request outside a try.'));
    return send(attempt, request);
  },
};

/** Runs one try with a way of its own, that is closed behind it. */
export async function inAttempt<T>(parts: AttemptParts, seen: Seen, run: () => Promise<T>): Promise<T> {
  const agent = await agentFor(parts).catch((error: unknown) => {
    seen.failure = `the authorities it is verified by cannot be used (signIn.trustFile): ${messageOf(error)}`;
    throw error;
  });
  try {
    return await attempts.run({ seen, agent, isLocal: parts.isLocal, signal: parts.signal }, run);
  } finally {
    await agent.destroy();
  }
}

async function agentFor({ road, trustFile, isLocal }: AttemptParts): Promise<Agent> {
  const limits = { connections: 1, pipelining: 1, headersTimeout: REQUEST_TIMEOUT_MS, bodyTimeout: REQUEST_TIMEOUT_MS, allowH2: false };
  // What does not leave the machine takes no road out of it.
  if (isLocal) return new Agent({ ...limits, connect: { timeout: CONNECT_TIMEOUT_MS } });
  const trust = trustFile === undefined ? undefined : await readFile(trustFile, 'utf8');
  if (road) return new Agent({ ...limits, connect: connectorBy(road, { trust, timeoutMs: CONNECT_TIMEOUT_MS }) });
  return new Agent({ ...limits, connect: { timeout: CONNECT_TIMEOUT_MS, minVersion: 'TLSv1.2', ca: trust ?? systemAuthorities() } });
}

function systemAuthorities(): string[] {
  return [...new Set([...getCACertificates('bundled'), ...getCACertificates('system')])];
}

async function send({ seen, agent, isLocal, signal }: Attempt, request: LibraryRequest): Promise<LibraryAnswer> {
  const { origin, pathname, search, protocol, host, hostname } = new URL(request.url);
  seen.host = host;
  delete seen.answer;
  delete seen.failure;
  try {
    if (isLocal ? !isLoopback(hostname) : protocol !== 'https:') throw new RelayError('relay.sign-in.other-road', `it would have to ask ${host}, and may not`);
    const { method } = request;
    const body = typeof request.body === 'string' ? request.body : null;
    const response = await agent.request({ origin, path: pathname + search, method, headers: request.headers.toJSON(), body, signal });
    const text = await readWhole(response.body);
    seen.answer = { status: response.statusCode, text };
    return { request, status: response.statusCode, headers: headersOf(response.headers), bodyAsText: text };
  } catch (error) {
    seen.failure = messageOf(error);
    throw error;
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

async function readWhole(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.length;
    if (total > MAX_ANSWER_BYTES) throw new RelayError('relay.sign-in.long-answer', `its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

// The library's own kind of headers, without the package that it has them from.
function headersOf(raw: Readonly<Record<string, string | string[] | undefined>>): LibraryAnswer['headers'] {
  const values = new Map(Object.entries(raw).map(([name, value]) => [name.toLowerCase(), Array.isArray(value) ? value.join(', ') : (value ?? '')]));
  return {
    get: (name) => values.get(name.toLowerCase()),
    has: (name) => values.has(name.toLowerCase()),
    set: (name, value) => void values.set(name.toLowerCase(), String(value)),
    delete: (name) => void values.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(values),
    [Symbol.iterator]: () => values.entries(),
  };
}
