import { Agent } from 'undici';
import type { Identity } from '../authority/agent-identity.ts';
import { messageOf, RelayError } from '../errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 60_000;
// Ends what the two above do not: an answer that trickles.
const REQUEST_TIMEOUT_MS = 150_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** What the relay answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  /** The body's first 64 KiB. */
  readonly text: string;
}

/** Posts to the relay as one client certificate. */
export interface Connection {
  /** `path` with its query. Throws `relay.agent.unreachable` when no answer came; waits 150 s at most. */
  post(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array | string): Promise<Answer>;
  /** Lets a request under way finish for `graceMs`, then ends it. */
  close(graceMs?: number): Promise<void>;
}

export interface ConnectionOptions {
  /** The relay's address: https, host and port. */
  readonly relay: string;
  /** PEM of the only root that is trusted. */
  readonly root: string;
  readonly identity: Identity;
}

/** Prepares a connection; nothing is sent before the first post. The relay's certificate is verified against `root` and the address's host. */
export function createConnection({ relay, root, identity }: ConnectionOptions): Connection {
  const closing = new AbortController();
  const pool = new Agent({
    connections: 2,
    allowH2: false,
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: ANSWER_TIMEOUT_MS,
    connect: { ca: root, cert: identity.certificate, key: identity.privateKey, timeout: CONNECT_TIMEOUT_MS },
  });
  return {
    async post(path, headers, body) {
      const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]);
      try {
        const answer = await pool.request({ origin: relay, path, method: 'POST', headers: { ...headers }, body, signal });
        const retryAfter = [answer.headers['retry-after']].flat()[0];
        return { status: answer.statusCode, retryAfter, text: await beginningOf(answer.body) };
      } catch (cause) {
        throw unreachable(relay, cause);
      }
    },
    async close(graceMs = 0) {
      const timer = setTimeout(() => closing.abort(), graceMs);
      if (!pool.closed) await pool.close();
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
