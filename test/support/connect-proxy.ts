/** A small HTTP CONNECT proxy on loopback. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export interface ConnectProxy extends AsyncDisposable {
  /** Host and port. */
  readonly address: string;
  /** What was asked for: host and port. */
  readonly asked: string[];
  /** Answers 403 while true. */
  refuses: boolean;
}

export async function startConnectProxy(): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const server = createServer();
  const proxy: ConnectProxy = {
    get address() {
      return `127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    asked: [],
    refuses: false,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connect', (request, client: Socket) => {
    proxy.asked.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    if (proxy.refuses) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const upstream = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.once('close', () => other.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return proxy;
}
