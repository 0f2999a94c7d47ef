import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { openAuthority } from '../../src/authority/authority.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export interface HttpsServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly rootPem: string;
  /** TCP connections so far. */
  connections(): number;
}

/** An HTTPS server with a certificate for these names, that asks for client certificates and takes any. */
export async function startHttpsServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  names: readonly string[] = ['127.0.0.1'],
): Promise<HttpsServer> {
  await using folder = await temporaryFolder();
  const authority = await openAuthority(folder.path, Date.now);
  const { certificate, privateKey } = await authority.serverIdentity(names, 1);
  const server = createServer({ cert: certificate, key: privateKey, requestCert: true, rejectUnauthorized: false }, answer);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    rootPem: authority.root,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
