import { Agent, type Dispatcher, type ProxyAgent } from 'undici';
import type { Identity } from '../authority/agent-identity.ts';
import { messageOf, RelayError } from '../errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;
// Ends what the two above do not: an answer that trickles.
const REQUEST_TIMEOUT_MS = 150_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** What was answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The body's first 64 KiB. */
  readonly text: string;
}

/** Speaks to one address as one client certificate. */
export interface Connection {
  /** `path` with its query. Throws `relay.agent.unreachable` when no answer came; waits 150 s at most. */
  post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array | string): Promise<Answer>;
  /** As `post`; `signal` ends the wait. */
  get(path: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer>;
  /** Lets a request under way finish for `graceMs`, then ends it. */
  close(graceMs?: number): Promise<void>;
}

export interface ConnectionOptions {
  /** The relay's address: https, host and port. */
  readonly relay: string;
  /** PEM of the only roots that are trusted, one or several. */
  readonly root: string;
  readonly identity: Identity;
  /** How long the answer to a post may take, in milliseconds; as long as any request unless given. */
  readonly patienceMs?: () => number | undefined;
}

/** Prepares a connection; nothing is sent before the first post. The relay's certificate is verified against `root` and the address's host. */
export function createConnection({ relay, root, identity, patienceMs }: ConnectionOptions): Connection {
  const connect = { ca: root, cert: identity.certificate, key: identity.privateKey, timeout: CONNECT_TIMEOUT_MS };
  return connectionOver(new Agent({ ...POOL, connect }), relay, (cause) => unreachable(relay, cause), patienceMs);
}

/** How a pool of an agent's connections is set: one of them may be kept waiting by a long poll. */
export const POOL: Readonly<Pick<Agent.Options, 'connections' | 'allowH2' | 'headersTimeout' | 'bodyTimeout'>> = {
  connections: 3,
  allowH2: false,
  headersTimeout: ANSWER_TIMEOUT_MS,
  bodyTimeout: ANSWER_TIMEOUT_MS,
};

/** A connection to `origin` by this pool, which it closes; `failure` says what is wrong when no answer came. */
export function connectionOver(
  pool: Agent | ProxyAgent,
  origin: string,
  failure: (cause: unknown) => RelayError,
  patienceMs: () => number | undefined = () => undefined,
): Connection {
  const closing = new AbortController();
  let closed: Promise<void> | undefined;
  const exchange = async (request: Omit<Dispatcher.RequestOptions, 'origin' | 'signal'>, signals: readonly AbortSignal[] = []): Promise<Answer> => {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...signals]);
    try {
      const answer = await pool.request({ ...request, origin, signal });
      const retryAfter = [answer.headers['retry-after']].flat()[0];
      return { status: answer.statusCode, retryAfter, text: await beginningOf(answer.body) };
    } catch (cause) {
      throw failure(cause);
    }
  };
  return {
    post(path, headers, body) {
      const waitMs = patienceMs();
      return exchange({ path, method: 'POST', headers: { ...headers }, body }, waitMs === undefined ? [] : [AbortSignal.timeout(waitMs)]);
    },
    get: (path, headers, signal) => exchange({ path, method: 'GET', headers: { ...headers } }, signal ? [signal] : []),
    async close(graceMs = 0) {
      const timer = setTimeout(() => closing.abort(), graceMs);
      closed ??= pool.close();
      await closed;
      clearTimeout(timer);
    },
  };
}

async function beginningOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_ANSWER_BYTES);
}

function unreachable(relay: string, cause: unknown): RelayError {
  const advice = /certificate|altname/i.test(messageOf(cause))
    ? 'Its certificate is not one that the saved root signed for this name; enrol again if the relay has got a new root.'
    : 'Check its address, the network and that it is running.';
  return new RelayError('relay.agent.unreachable', `The relay at ${relay} did not answer. ${advice}`, { cause });
}
