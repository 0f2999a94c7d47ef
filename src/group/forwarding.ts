/**
 * What only the primary may decide, when it reaches another relay: that one hands it on, and the primary judges it as if it had come to
 * itself, by the same code. Only the paths below, with the headers below.
 *
 * A member says whose certificate a request came with, and from which address. It is believed: members are trusted like the primary, whose keys
 * they have.
 */
import type { Lifecycle, Request, ResponseObject, ResponseToolkit, Server } from '@hapi/hapi';
import { EST_RENEW_PATH } from '../check-in/est-paths.ts';
import { RelayError } from '../errors.ts';
import { RENEW_PATH, TOPOLOGY_PATH } from '../oms-protocol/paths.ts';
import { type ForwardedRequest, forwardedAnswer, readMessage } from './messages.ts';
import type { PeerAnswer } from './peer-link.ts';

declare module '@hapi/hapi' {
  interface PluginsStates {
    /** Set on requests that another relay of the group handed on; nothing from outside can set it. */
    forwarded?: { readonly peer: Buffer | undefined };
  }
}

const ENROL_PATH = '/.well-known/est/simpleenroll';
const PATHS: ReadonlySet<string> = new Set([TOPOLOGY_PATH, RENEW_PATH, ENROL_PATH, EST_RENEW_PATH].map((path) => path.toLowerCase()));
const REQUEST_HEADERS = ['authorization', 'content-type', 'content-transfer-encoding', 'host', 'user-agent', 'x-ms-date', 'x-ms-sha256_content'];
const ANSWER_HEADERS = ['content-type', 'content-transfer-encoding', 'retry-after', 'www-authenticate'];

/** `decides`: the primary alone may. `reports`: the primary should hear of it, but every relay can answer it. */
export function concernOf({ method, path, headers }: Pick<Request, 'method' | 'path' | 'headers'>): 'decides' | 'reports' | 'none' {
  const plain = path.toLowerCase().replace(/\/$/, '');
  if (method !== 'post' || !PATHS.has(plain)) return 'none';
  return plain === TOPOLOGY_PATH.toLowerCase() && headers['authorization'] === undefined ? 'reports' : 'decides';
}

/** What another relay of the group has handed on came with the certificate that it says; everything else with its connection's. */
export function forwardedOr(ofConnection: (request: Request) => Buffer | undefined): (request: Request) => Buffer | undefined {
  return (request) => (request.plugins.forwarded ? request.plugins.forwarded.peer : ofConnection(request));
}

export interface ForwardingParts {
  readonly isMember: () => boolean;
  /** Whether the primary did not answer when it was last asked. */
  readonly isPrimaryAway: () => boolean;
  /** Asks the primary. Throws when it does not answer. */
  readonly ask: (forwarded: ForwardedRequest) => Promise<PeerAnswer>;
  /** Has the copy brought up to date: what was decided there holds here before its sender hears of it. */
  readonly refresh: () => Promise<void>;
  readonly peerCertificate: (request: Request) => Buffer | undefined;
  readonly onForwarded: (outcome: 'answered' | 'away') => void;
}

/** Hands on what concerns the primary, before any handler of this relay sees it. Throws `relay.group.primary-away`. */
export function forwardBy(parts: ForwardingParts): Lifecycle.Method {
  return async (request, h) => {
    const concern = parts.isMember() ? concernOf(request) : 'none';
    if (concern === 'none' || (concern === 'reports' && parts.isPrimaryAway())) return h.continue;
    const answer = await askPrimary(request, parts).catch((cause: unknown) => {
      parts.onForwarded('away');
      // Never decided here instead: it would be gone with the next copy.
      if (concern === 'decides') throw primaryAway(cause);
      return undefined;
    });
    if (!answer) return h.continue;
    parts.onForwarded('answered');
    return await replyWith(h, answer, concern === 'decides' ? parts.refresh : undefined);
  };
}

async function askPrimary(request: Request, parts: ForwardingParts): Promise<PeerAnswer> {
  const answer = await parts.ask(toForward(request, parts));
  if (answer.status === 200) return answer;
  throw new RelayError('relay.group.refused', `The primary did not take what was handed on: it answered ${answer.status}.`);
}

function primaryAway(cause: unknown): RelayError {
  return new RelayError(
    'relay.group.primary-away',
    'Enrolments and renewals are decided by the primary relay of the group, which does not answer now. Data is taken meanwhile. Ask again.',
    { cause },
  );
}

async function replyWith(h: ResponseToolkit, { body }: PeerAnswer, refresh: (() => Promise<void>) | undefined): Promise<ResponseObject> {
  const found = readMessage(forwardedAnswer, body);
  // It knows its own decision; a copy that comes late costs its sender another try.
  if (found.status < 300) await refresh?.().catch(() => {});
  const response = h.response(Buffer.from(found.body, 'base64')).code(found.status).takeover();
  for (const [name, value] of Object.entries(found.headers)) if (ANSWER_HEADERS.includes(name)) response.header(name, value);
  return response;
}

function toForward(request: Request, { peerCertificate }: ForwardingParts): ForwardedRequest {
  const headers = REQUEST_HEADERS.flatMap((name) => {
    const value: unknown = request.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  return {
    method: 'POST',
    path: request.path,
    headers: Object.fromEntries(headers),
    body: ((request.payload as Buffer | null) ?? Buffer.alloc(0)).toString('base64'),
    peer: peerCertificate(request)?.toString('base64'),
    from: request.info.remoteAddress,
  };
}

/** The primary's side: runs it as if it had come from its sender. Throws `relay.group.bad-request` for anything but the paths above. */
export async function runForwarded(server: Server, { method, path, headers, body, peer, from }: ForwardedRequest): Promise<object> {
  if (concernOf({ method: 'post', path, headers }) === 'none')
    throw new RelayError('relay.group.bad-request', `Requests to ${path.slice(0, 100)} are not handed on.`);
  const known = Object.entries(headers).filter(([name]) => REQUEST_HEADERS.includes(name));
  const answer = await server.inject({
    method,
    url: path,
    headers: Object.fromEntries(known),
    payload: Buffer.from(body, 'base64'),
    remoteAddress: from,
    plugins: { forwarded: { peer: peer === undefined ? undefined : Buffer.from(peer, 'base64') } },
  });
  const told = ANSWER_HEADERS.flatMap((name) => (answer.headers[name] === undefined ? [] : [[name, String(answer.headers[name])] as const]));
  return { status: answer.statusCode, headers: Object.fromEntries(told), body: answer.rawPayload.toString('base64') };
}
