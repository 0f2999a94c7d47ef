import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { httpReply, type Refusal, replyOf } from './refusals.ts';

const MAX_HEAD_BYTES = 8 * 1024;
const SLOWEST_CHECK_MS = 5_000;

/** A certificate chain and its key, PEM. */
export interface TunnelIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface TunnelListenerParts {
  /** With an identity the port speaks TLS and asks for client certificates, which are judged later. */
  readonly identity: TunnelIdentity | undefined;
  /** Milliseconds for a handshake and for a request's head. */
  readonly headTimeoutMs: number;
  readonly maxConnections: number;
  /** A CONNECT came, and perhaps first bytes behind it. */
  readonly onConnect: (authority: string, client: Socket, head: Buffer) => void;
  readonly onRefused: (refusal: Refusal, remoteAddress: string | undefined) => void;
}

/** The tunnel's port: HTTP/1.1 in which nothing is answered but CONNECT. */
export function createTunnelListener(parts: TunnelListenerParts): Server | HttpsServer {
  const { identity, headTimeoutMs, maxConnections, onConnect, onRefused } = parts;
  const limits = {
    maxHeaderSize: MAX_HEAD_BYTES,
    headersTimeout: headTimeoutMs,
    requestTimeout: headTimeoutMs,
    keepAliveTimeout: headTimeoutMs,
    connectionsCheckingInterval: Math.min(headTimeoutMs, SLOWEST_CHECK_MS),
    noDelay: true,
  };
  const listener = identity ? createHttpsServer({ ...limits, ...tlsOptions(identity), handshakeTimeout: headTimeoutMs }) : createHttpServer(limits);
  listener.maxConnections = maxConnections;
  listener.maxHeadersCount = 100;

  const refuse = (socket: Socket, refusal: Refusal): void => {
    onRefused(refusal, socket.remoteAddress);
    sayAndClose(socket, httpReply(refusal));
  };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const refusal: Refusal = { reason: 'not-connect', found: `the request is ${request.method ?? 'unknown'}` };
    const { status, statusText, headers, body } = replyOf(refusal);
    onRefused(refusal, request.socket.remoteAddress);
    response.writeHead(status, statusText, headers).end(body);
  };
  listener.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest);
  listener.on('connect', (request, socket, head) => onConnect(request.url ?? '', socket as Socket, head));
  // Other protocols asked for in passing (RFC 9110 §7.8) are no tunnels either.
  listener.on('upgrade', (request, socket) => refuse(socket as Socket, { reason: 'not-connect', found: `the request is ${request.method ?? 'unknown'}` }));
  listener.on('clientError', (error: Error & { code?: string }, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuse(socket as Socket, { reason: 'head-timeout', found: `after ${headTimeoutMs} ms` });
    else refuse(socket as Socket, { reason: 'bad-request', found: error.code ?? error.message });
  });
  listener.on('tlsClientError', (error: Error & { code?: string }, socket) => {
    onRefused({ reason: 'bad-request', found: `TLS towards the tunnel failed: ${error.code ?? error.message}` }, socket.remoteAddress);
    socket.destroy();
  });
  listener.on('drop', (dropped) => onRefused({ reason: 'too-many', found: `${maxConnections} connections are open` }, dropped?.remoteAddress));
  return listener;
}

/** Says it, takes what still comes for a moment so that the words are not lost to a reset, and closes. */
export function sayAndClose(socket: Socket, reply: Buffer | string | undefined): void {
  socket.on('error', () => socket.destroy());
  if (reply === undefined || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.setTimeout(1_000, () => socket.destroy());
  let taken = 0;
  socket.on('data', (chunk: Buffer) => {
    taken += chunk.length;
    if (taken > MAX_HEAD_BYTES * 8) socket.destroy();
  });
  socket.once('end', () => socket.destroy());
  socket.end(reply);
}

/** What TLS on the tunnel's port needs. */
export function tlsOptions({ certificate, privateKey }: TunnelIdentity): {
  cert: string;
  key: string;
  requestCert: true;
  rejectUnauthorized: false;
  minVersion: 'TLSv1.2';
} {
  return { cert: certificate, key: privateKey, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' };
}
