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
  /** Basic credentials that it wants: `user:password`. */
  wants: string | undefined;
}

/** Takes a free port unless given one. */
export async function startConnectProxy(port = 0): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const proxy: ConnectProxy = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    refuses: false,
    wants: undefined,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connect', (request, client: Socket) => {
    proxy.asked.push(request.url ?? '');
    client.on('error', () => client.destroy());
    const [host = '', wanted = ''] = (request.url ?? '').split(':');
    if (proxy.refuses) {
      client.end('HTTP/1.1 403 Forbidden\r\n\r\n');
      return;
    }
    const { 'proxy-authorization': given } = request.headers;
    if (proxy.wants !== undefined && given !== `Basic ${Buffer.from(proxy.wants).toString('base64')}`) {
      client.end('HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic realm="site"\r\n\r\n');
      return;
    }
    const upstream = connect(Number(wanted), host, () => {
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
  return proxy;
}
