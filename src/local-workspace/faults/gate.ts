import type { Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../clock.ts';
import { RelayError } from '../../errors.ts';
import { type Fault, isConnectionFault } from './faults.ts';

/** The front door: it owns the port, and fails where a request cannot be seen yet. */
export interface Gate {
  /** Listens; the port it got. Throws `relay.local-workspace.cannot-listen`. */
  open(): Promise<number>;
  /** Makes the door fit the fault. Connections made under another connection fault are closed, so that clients come again and meet this one. */
  apply(fault: Fault): Promise<void>;
  /** Takes no more connections, gives requests in progress `graceMs` milliseconds, then cuts them off. */
  close(graceMs: number): Promise<void>;
}

/** Takes over the listener's new connections. The port stays the same, also after `down`; 0 lets the operating system choose one at first. */
export function createGate(listener: Server, place: { readonly address: string; readonly port: number }, clock: Clock): Gate {
  const sockets = new Set<Socket>();
  let port = place.port;
  let fault: Fault = { mode: 'none' };
  let closed = false;

  const handshake = listener.listeners('connection');
  listener.removeAllListeners('connection');
  listener.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (!isConnectionFault(fault)) {
      for (const begin of handshake) begin.call(listener, socket);
      return;
    }
    socket.on('error', () => socket.destroy());
    // What comes is read and thrown away, so that the client's own end of the connection is noticed.
    if (fault.mode === 'black-hole') socket.resume();
    else socket.destroy();
  });

  const cutOff = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const listen = async (): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const failed = (cause: Error): void => reject(cannotListen(place.address, port, cause));
      listener.once('error', failed);
      listener.listen(port, place.address, () => {
        listener.off('error', failed);
        resolve();
      });
    });
    port = (listener.address() as AddressInfo).port;
  };
  const unlisten = (): Promise<void> => new Promise((resolve) => void listener.close(() => resolve()));

  return {
    async open() {
      await listen();
      return port;
    },
    async apply(next) {
      const before = fault;
      fault = next;
      const ended = next.mode === 'down' && listener.listening ? unlisten() : undefined;
      if (isConnectionFault(before) || isConnectionFault(next)) cutOff();
      await ended;
      if (next.mode !== 'down' && !listener.listening && !closed) await listen();
    },
    async close(graceMs) {
      closed = true;
      const ended = unlisten();
      const cancel = clock.after(graceMs, cutOff);
      await ended;
      cancel();
    },
  };
}

function cannotListen(address: string, port: number, cause: Error): RelayError {
  return new RelayError(
    'relay.local-workspace.cannot-listen',
    `The local workspace cannot listen on ${address} port ${port}. Stop what uses the port, or choose another with --port.`,
    { cause },
  );
}
