/**
 * What arrives over TLS and is no request that hapi could answer: headers that are no HTTP, too long or too slow. hapi would answer with
 * a bare 400; here each gets its status, a reason, a counter and a line in the log.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ErrorCode } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { meaningOf, replyFor } from './error-replies.ts';

type ClientError = Error & { readonly code?: string };

export interface BrokenRequests {
  /** Why Node gave up on this connection's request in the middle; undefined when it did not. */
  reasonOf(socket: Duplex): ErrorCode | undefined;
}

/** Answers broken requests. To be called once hapi has put its own listeners on `listener`. */
export function answerBrokenRequests(listener: HttpsServer, { metrics, log }: { metrics: Metrics; log: Logger }): BrokenRequests {
  const busy = new WeakSet<Duplex>();
  const broken = new WeakMap<Duplex, ErrorCode>();

  const onRequest = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
  };
  listener.prependListener('request', onRequest);
  listener.prependListener('checkContinue', onRequest);

  const answerOfHapi = listener.listeners('clientError');
  listener.removeAllListeners('clientError');
  listener.on('clientError', (error: ClientError, socket: TLSSocket) => {
    if (broken.has(socket)) return;
    const code = codeOf(error.code ?? '');
    if (!code) {
      socket.destroy();
      return;
    }
    broken.set(socket, code);
    if (busy.has(socket)) for (const answer of answerOfHapi) answer.call(listener, error, socket);
    else if (socket.writable) refuse(socket, code, error);
    else socket.destroy();
  });

  const refuse = (socket: TLSSocket, code: ErrorCode, error: ClientError): void => {
    const { status, level } = replyFor(code);
    metrics.count('refused', { reason: code });
    metrics.count('requests', { service: 'other', code: String(status) });
    log[level]({ code, remoteAddress: socket.remoteAddress, detail: error.code }, meaningOf(code));
    const body = JSON.stringify({ error: { code, message: meaningOf(code) } });
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
    socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
  };

  return { reasonOf: (socket) => broken.get(socket) };
}

// Undefined for an error of the network: then nobody is there to be answered.
function codeOf(code: string): ErrorCode | undefined {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'relay.intake.too-slow';
  if (code === 'HPE_HEADER_OVERFLOW') return 'relay.intake.long-headers';
  return code.startsWith('HPE_') ? 'relay.intake.bad-request' : undefined;
}
