/**
 * The agents' listener: hapi on HTTPS with client certificates asked for, HTTP/1.1 only, TLS 1.2 or later. Certificates are not verified
 * by chain, since OMS agents sign their own; who they belong to is decided by fingerprint, in `client-certificate.ts`.
 */
import { createServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { type Request, type ResponseObject, type ResponseToolkit, Server } from '@hapi/hapi';
import type { Identity } from '../authority/agent-identity.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/catalogue.ts';
import { type ClientCertificateOptions, clientCertificateScheme } from './client-certificate.ts';
import { codeOfStatus, replyFor } from './error-replies.ts';
import type { IntakeOptions } from './options.ts';

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
  });
  limit(listener, options);
  countConnections(listener, metrics, log);

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
  hapi.ext('onPreResponse', (request, h) => toReply(request, h, metrics, log));

  return {
    hapi,
    useIdentity: (next) => listener.setSecureContext({ cert: next.certificate, key: next.privateKey, minVersion: 'TLSv1.2' }),
    async start() {
      await hapi.start();
      return Number(hapi.info.port);
    },
    stop: (deadlineMs) => hapi.stop({ timeout: deadlineMs }),
  };
}

function limit(listener: HttpsServer, options: IntakeOptions): void {
  listener.maxConnections = options.maxConnections;
  listener.headersTimeout = options.headersTimeout;
  listener.requestTimeout = options.headersTimeout + options.bodyTimeout;
  listener.keepAliveTimeout = options.idleTimeout;
  listener.maxHeadersCount = 100;
}

function countConnections(listener: HttpsServer, metrics: Metrics, log: Logger): void {
  let open = 0;
  const change = (by: number): void => {
    open += by;
    metrics.set('connections', {}, open);
  };
  listener.on('secureConnection', (socket: Socket) => {
    change(1);
    socket.once('close', () => change(-1));
  });
  listener.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => {
    const reason = handshakeFailure(error.code ?? '');
    metrics.count('connectionsFailed', { reason });
    log.info({ reason, remoteAddress: socket.remoteAddress, detail: messageOf(error) }, 'a connection failed before its first request');
  });
}

function handshakeFailure(code: string): string {
  if (code === 'ERR_SSL_HTTP_REQUEST' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') return 'not-tls';
  if (code === 'ERR_SSL_UNSUPPORTED_PROTOCOL' || code === 'ERR_SSL_VERSION_TOO_LOW' || code === 'ERR_SSL_NO_PROTOCOLS_AVAILABLE') return 'old-tls';
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'handshake-timeout';
  return code === 'ECONNRESET' ? 'reset' : 'handshake';
}

// The one place where an error becomes an answer: a status, a reason in the body, a counter, and a line in the log.
function toReply(request: Request, h: ResponseToolkit, metrics: Metrics, log: Logger): ResponseObject | symbol {
  const { response } = request;
  if (!('isBoom' in response)) return h.continue;
  const error = asRelayError(response, response.output.statusCode);
  const reply = replyFor(error.code);
  metrics.count('refused', { reason: error.code });
  const { agent } = request.auth.credentials ?? {};
  const facts = { code: error.code, path: request.path, remoteAddress: request.info.remoteAddress, agentId: agent?.agentId, workspaceId: agent?.workspaceId };
  log[reply.level](reply.level === 'error' ? { ...facts, err: response } : facts, error.message);
  // A surprise's text may hold anything: the sender gets the code, the log the rest.
  const message = error.code === 'relay.internal' ? 'The relay has a fault; its log has the details. Send the batch again.' : error.message;
  const answer = h.response({ error: { code: error.code, message } }).code(reply.status);
  return reply.retryAfterS === undefined ? answer : answer.header('retry-after', String(reply.retryAfterS));
}

function asRelayError(thrown: Error, status: number): RelayError {
  if (thrown instanceof RelayError) return thrown;
  const code = codeOfStatus(status);
  const message = code === 'relay.internal' ? messageOf(thrown) : `${replyFor(code).meaning.replaceAll('`', '')}`;
  return new RelayError(code, message, { cause: thrown });
}
