/**
 * The agents' listener: hapi on HTTPS with client certificates asked for, HTTP/1.1 only, TLS 1.2 or later. Certificates are not verified
 * by chain, since OMS agents sign their own; who they belong to is decided by fingerprint, in `client-certificate.ts`.
 */
import { createServer, type Server as HttpsServer } from 'node:https';
import { type Request, type ResponseObject, type ResponseToolkit, Server } from '@hapi/hapi';
import type { Identity } from '../authority/agent-identity.ts';
import type { Fingerprint } from '../authority/x509.ts';
import { type ErrorCode, messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { trackConnections } from './agent-connections.ts';
import { answerBrokenRequests, type BrokenRequests } from './broken-requests.ts';
import { type ClientCertificateOptions, clientCertificateScheme, fingerprintOfConnection } from './client-certificate.ts';
import { watchConnections } from './connections.ts';
import { codeOfStatus, meaningOf, replyFor } from './error-replies.ts';
import type { IntakeOptions } from './options.ts';
import type { RefusalFacts, WrittenRefusal } from './refusal-writer.ts';
import { contentTypeOf } from './request-headers.ts';
import { serviceOf } from './request-service.ts';

/** Most that a timeout of the listener may be late, in milliseconds. */
const SLOW_CHECK_MS = 5_000;

export interface IntakeServerParts {
  readonly options: IntakeOptions;
  readonly identity: Identity;
  readonly authentication: ClientCertificateOptions;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface IntakeServer {
  /** For registering protocols, and for tests. */
  readonly hapi: Server;
  /** Uses another certificate from the next handshake on. */
  useIdentity(identity: Identity): void;
  /** Shows another certificate to whoever asks for this host name by SNI. */
  addIdentity(host: string, identity: Identity): void;
  /** Ends the connections made with one of these certificates that carry no request at this moment. */
  endIdle(fingerprints: readonly Fingerprint[]): void;
  /** Listens; returns the port. */
  start(): Promise<number>;
  /** Takes no more connections, lets requests finish for `deadlineMs`, then ends them. */
  stop(deadlineMs: number): Promise<void>;
}

export function createIntakeServer({ options, identity, authentication, metrics, log }: IntakeServerParts): IntakeServer {
  const listener = createServer({
    cert: identity.certificate,
    key: identity.privateKey,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.handshakeTimeout,
    // How often Node looks for requests that are too slow; 30 seconds unless told.
    connectionsCheckingInterval: Math.min(options.headersTimeout, options.bodyTimeout, SLOW_CHECK_MS),
  });
  limit(listener, options);
  const connections = watchConnections(listener, { handshakeTimeoutMs: options.handshakeTimeout, metrics, log });
  const agents = trackConnections(listener, fingerprintOfConnection);

  const hapi = new Server({
    listener: listener as never,
    tls: true,
    address: options.address,
    port: options.port,
    debug: false,
    router: { isCaseSensitive: false, stripTrailingSlash: true },
    routes: { payload: { timeout: options.bodyTimeout } },
  });
  hapi.auth.scheme('client-certificate', clientCertificateScheme);
  hapi.auth.strategy('agent', 'client-certificate', authentication);
  hapi.auth.default('agent');
  const replies = { broken: answerBrokenRequests(listener, { metrics, log }), metrics, log };
  hapi.ext('onPreResponse', (request, h) => toReply(request, h, replies));
  hapi.events.on('response', (request) => noteFinished(request, replies));

  return {
    hapi,
    useIdentity: (next) => listener.setSecureContext({ cert: next.certificate, key: next.privateKey, minVersion: 'TLSv1.2' }),
    addIdentity: (host, { certificate, privateKey }) => listener.addContext(host, { cert: certificate, key: privateKey, minVersion: 'TLSv1.2' }),
    endIdle: agents.endIdle,
    async start() {
      await hapi.start();
      return Number(hapi.info.port);
    },
    async stop(deadlineMs) {
      connections.endHandshakes();
      await hapi.stop({ timeout: deadlineMs });
    },
  };
}

function limit(listener: HttpsServer, options: IntakeOptions): void {
  listener.maxConnections = options.maxConnections;
  listener.headersTimeout = options.headersTimeout;
  // hapi answers a body that is too slow only when the rest of it has come; this timer ends the waiting.
  listener.requestTimeout = options.headersTimeout + options.bodyTimeout;
  listener.keepAliveTimeout = options.idleTimeout;
  listener.maxHeadersCount = 100;
}

interface ReplyParts extends Pick<IntakeServerParts, 'metrics' | 'log'> {
  readonly broken: BrokenRequests;
}

// The one place where an error becomes an answer: a status, a reason in the body, a counter, and a line in the log.
function toReply(request: Request, h: ResponseToolkit, parts: ReplyParts): ResponseObject | symbol {
  const { response } = request;
  if (!('isBoom' in response)) return h.continue;
  const error = asRelayError(response, parts.broken.reasonOf(request.raw.req.socket) ?? codeOfStatus(response.output.statusCode));
  note(request, error, parts);
  const reply = replyFor(error.code);
  const retryAfterS = error.retryAfterS ?? reply.retryAfterS;
  // A surprise's text may hold anything: the sender gets the code, the log the rest.
  const message = error.code === 'relay.internal' ? 'The relay has a fault; its log has the details. Send the batch again.' : error.message;
  const facts = { code: error.code, status: reply.status, message, retryAfterS, host: request.info.host, contentType: contentTypeOf(request) };
  const { writeRefusal = writeOwnRefusal } = request.route.settings.app ?? {};
  const { status, body, type, headers = {} } = writeRefusal(facts);
  const answer = h.response(body).code(status);
  if (type !== undefined) answer.type(type);
  for (const [name, value] of Object.entries(headers)) answer.header(name, value);
  return retryAfterS === undefined ? answer : answer.header('retry-after', String(retryAfterS));
}

function writeOwnRefusal({ code, status, message }: RefusalFacts): WrittenRefusal {
  return { status, body: { error: { code, message } }, ...(status === 401 ? { headers: { 'www-authenticate': 'Basic realm="relay"' } } : {}) };
}

// hapi asks nobody for an answer once the sender is gone; its error is still there at the end.
function noteFinished(request: Request, parts: ReplyParts): void {
  const { response } = request;
  const code: ErrorCode = 'relay.intake.aborted';
  const isAborted = 'isBoom' in response;
  const status = isAborted ? replyFor(code).status : response.statusCode;
  parts.metrics.count('requests', { service: serviceOf(request.path), code: String(status) });
  if (isAborted) note(request, new RelayError(code, meaningOf(code)), parts);
}

function note(request: Request, error: RelayError, { metrics, log }: ReplyParts): void {
  const { level } = replyFor(error.code);
  const { agent } = request.auth.credentials ?? {};
  const facts = { code: error.code, path: request.path, remoteAddress: request.info.remoteAddress, agentId: agent?.agentId, workspaceId: agent?.workspaceId };
  metrics.count('refused', { reason: error.code });
  log[level](level === 'error' ? { ...facts, err: error } : facts, error.message);
}

function asRelayError(thrown: Error, code: ErrorCode): RelayError {
  if (thrown instanceof RelayError) return thrown;
  return new RelayError(code, code === 'relay.internal' ? messageOf(thrown) : meaningOf(code), { cause: thrown });
}
