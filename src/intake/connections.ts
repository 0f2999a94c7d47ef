/**
 * Connections until their first request: whoever does not speak TLS is told so in plain text, and every connection that ends before it
 * asked anything is counted and logged once. No connection waits for longer than the handshake may take.
 */
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { type FailureReason, handshakeFailure } from './handshake-failure.ts';

/** The first byte of every TLS connection: a handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
const PLAIN_TEXT = 'This port speaks HTTPS only: use https:// in the address.\n';
const PLAIN_REPLY = `HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${PLAIN_TEXT.length}\r\nConnection: close\r\n\r\n${PLAIN_TEXT}`;

export interface ConnectionParts {
  /** Milliseconds from the connection to the end of its handshake. */
  readonly handshakeTimeoutMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface Connections {
  /** Ends the connections whose handshake is not over; the listener's `close` would wait for them. */
  endHandshakes(): void;
}

/** Stands between the listener's connections and TLS. */
export function watchConnections(listener: HttpsServer, { handshakeTimeoutMs, metrics, log }: ConnectionParts): Connections {
  const handshaking = new Map<string, Socket>();
  let open = 0;

  const failed = (reason: FailureReason, { remoteAddress }: Pick<Socket, 'remoteAddress'>, detail: string): void => {
    metrics.count('connectionsFailed', { reason });
    // Monitoring and load balancers connect and go away all day.
    log[reason === 'reset' ? 'debug' : 'info']({ reason, remoteAddress, detail }, 'a connection failed before its first request');
  };

  const beginTls = listener.listeners('connection');
  listener.removeAllListeners('connection');
  listener.on('connection', (socket: Socket) => {
    const name = nameOf(socket);
    const { remoteAddress } = socket;
    handshaking.set(name, socket);
    socket.once('close', () => handshaking.delete(name));
    onFirstByte(socket, handshakeTimeoutMs, {
      came(byte) {
        if (byte === TLS_HANDSHAKE) for (const begin of beginTls) begin.call(listener, socket);
        else {
          failed('not-tls', { remoteAddress }, `the first byte is 0x${byte.toString(16).padStart(2, '0')}`);
          socket.end(PLAIN_REPLY, () => socket.destroy());
        }
      },
      never: (reason, detail) => failed(reason, { remoteAddress }, detail),
    });
  });

  listener.on('secureConnection', (socket: Socket) => {
    handshaking.delete(nameOf(socket));
    open += 1;
    metrics.set('connections', {}, open);
    socket.once('close', () => {
      open -= 1;
      metrics.set('connections', {}, open);
    });
  });
  listener.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => failed(handshakeFailure(error.code), socket, messageOf(error)));

  return {
    endHandshakes() {
      for (const socket of handshaking.values()) socket.destroy();
    },
  };
}

// The byte is put back for whoever reads the connection next.
function onFirstByte(
  socket: Socket,
  timeoutMs: number,
  { came, never }: { came: (byte: number) => void; never: (reason: 'handshake-timeout' | 'reset', detail: string) => void },
): void {
  let reason: 'handshake-timeout' | 'reset' = 'reset';
  const onTimeout = (): void => {
    reason = 'handshake-timeout';
    socket.destroy();
  };
  const onError = (): void => void socket.destroy();
  const onClose = (): void => never(reason, reason === 'reset' ? 'it ended without a byte' : 'no byte came in time');
  socket.setTimeout(timeoutMs, onTimeout);
  socket.once('error', onError);
  socket.once('close', onClose);
  socket.once('readable', () => {
    const head = socket.read() as Buffer | null;
    const byte = head?.[0];
    if (head === null || byte === undefined) {
      socket.destroy();
      return;
    }
    socket.setTimeout(0);
    socket.off('timeout', onTimeout);
    socket.off('close', onClose);
    socket.unshift(head);
    came(byte);
  });
}

// Both ends of a connection name it as long as it is open; TLS wraps it in another socket.
function nameOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${localAddress} ${remoteAddress} ${remotePort}`;
}
