import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Fingerprint } from '../authority/x509.ts';

export interface AgentConnections {
  /** Ends the connections made with one of these certificates, but those that carry a request: their next one is refused. */
  endIdle(fingerprints: readonly Fingerprint[]): void;
}

/** Remembers which open connection came with which certificate. */
export function trackConnections(listener: HttpsServer, certificateOf: (socket: TLSSocket) => Fingerprint | undefined): AgentConnections {
  const open = new Map<Fingerprint, Set<TLSSocket>>();
  const busy = new WeakSet<Duplex>();

  listener.on('secureConnection', (socket: TLSSocket) => {
    const fingerprint = certificateOf(socket);
    if (fingerprint === undefined) return;
    const own = open.get(fingerprint) ?? new Set();
    open.set(fingerprint, own.add(socket));
    socket.once('close', () => {
      own.delete(socket);
      if (own.size === 0 && open.get(fingerprint) === own) open.delete(fingerprint);
    });
  });
  const onRequest = ({ socket }: IncomingMessage, response: ServerResponse): void => {
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
  };
  listener.prependListener('request', onRequest);
  listener.prependListener('checkContinue', onRequest);

  return {
    endIdle(fingerprints) {
      for (const socket of fingerprints.flatMap((fingerprint) => [...(open.get(fingerprint) ?? [])])) if (!busy.has(socket)) socket.destroy();
    },
  };
}
