/**
 * How relays of one group speak to each other: HTTPS on the agents' port, each side with its member certificate. The other side is verified by
 * the group's own roots and by the name of the very member, whatever certificate agents see there and whatever its address is called.
 */
import { Agent, request } from 'node:https';
import type { Identity } from '../authority/agent-identity.ts';
import { messageOf, RelayError } from '../errors.ts';
import { type Member, memberHost, placeOf } from './member.ts';

const CONNECT_AND_ANSWER_MS = 10_000;
/** Shorter than the other side keeps an idle connection. */
const IDLE_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_SOCKETS = 8;

export interface PeerCall {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
  /** Until the whole answer is there, in milliseconds; 10 s unless told. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface PeerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export interface PeerLink {
  /** Throws `relay.group.unreachable` when no answer came. An answer has 64 MiB at most. */
  call(to: Pick<Member, 'id' | 'name' | 'address'>, call: PeerCall): Promise<PeerAnswer>;
  close(): void;
}

export interface PeerLinkParts {
  /** This relay's own; undefined for one that joins. */
  readonly identity: () => Identity | undefined;
  /** PEM of every root to be trusted now. */
  readonly roots: () => readonly string[];
}

export function createPeerLink({ identity, roots }: PeerLinkParts): PeerLink {
  const agent = new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS, timeout: IDLE_MS });
  return {
    async call(to, call) {
      const { certificate, privateKey } = identity() ?? {};
      const own = certificate !== undefined && privateKey !== undefined ? { cert: certificate, key: privateKey } : {};
      try {
        return await exchange(to, call, { agent, ...own, ca: [...roots()] });
      } catch (cause) {
        throw unreachable(to, cause);
      }
    },
    close: () => agent.destroy(),
  };
}

interface Tls {
  readonly agent: Agent;
  readonly cert?: string;
  readonly key?: string;
  readonly ca: string[];
}

function exchange(
  to: Pick<Member, 'id' | 'address'>,
  { method, path, headers = {}, body, timeoutMs = CONNECT_AND_ANSWER_MS, signal }: PeerCall,
  tls: Tls,
): Promise<PeerAnswer> {
  const ended = AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const outgoing = request({
      ...placeOf(to.address),
      ...tls,
      servername: memberHost(to.id),
      method,
      path,
      headers: { ...headers, ...length },
      signal: ended,
    });
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) outgoing.destroy(new Error(`an answer of more than ${MOST_BYTES} bytes`));
        chunks.push(chunk);
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function unreachable({ name, address }: Pick<Member, 'name' | 'address'>, cause: unknown): RelayError {
  const advice = /certificate|altname/i.test(messageOf(cause))
    ? "It does not show that relay's certificate of this group: look what answers at that address."
    : 'Check that it runs, its address, and the network between the relays.';
  return new RelayError('relay.group.unreachable', `The relay ${name} at ${address} did not answer. ${advice}`, { cause });
}
