/** Stands between the relay and a workspace's service: passes bytes through, or shows a certificate of its own, or lets one byte a second back. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Identity } from '../../src/authority/agent-identity.ts';

export type FrontMode = { readonly how: 'pass' } | { readonly how: 'trickle' } | { readonly how: 'certificate'; readonly identity: Identity };

export interface Front extends AsyncDisposable {
  readonly port: number;
  /** Ends the connections there are; new ones meet the mode. */
  set(mode: FrontMode): void;
}

const TRICKLE_MS = 1_000;

/** Listens on a port of its own for what goes to `port`. */
export async function startFront(port: number): Promise<Front> {
  let mode: FrontMode = { how: 'pass' };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    keep(client);
    if (mode.how === 'certificate') {
      const { certificate: cert, privateKey: key } = mode.identity;
      new TLSSocket(client, { isServer: true, secureContext: createSecureContext({ cert, key }) }).on('error', () => client.destroy());
      return;
    }
    const upstream = keep(connect(port, '127.0.0.1'));
    client.pipe(upstream);
    client.once('close', () => upstream.destroy());
    upstream.once('close', () => client.destroy());
    if (mode.how === 'trickle') trickle(upstream, client);
    else upstream.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closeAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    set(next) {
      mode = next;
      closeAll();
    },
    async [Symbol.asyncDispose]() {
      closeAll();
      server.close();
      await once(server, 'close');
    },
  };
}

function trickle(from: Socket, to: Socket): void {
  let waiting = Buffer.alloc(0);
  from.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk]);
  });
  const timer = setInterval(() => {
    if (waiting.length === 0) return;
    to.write(waiting.subarray(0, 1));
    waiting = waiting.subarray(1);
  }, TRICKLE_MS);
  to.once('close', () => clearInterval(timer));
}
