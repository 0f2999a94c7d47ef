import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { ALLOWED, startRig, startTcpServer, type TunnelRig } from './rig.ts';

const CREDENTIALS = `Basic ${Buffer.from('site:pass:word').toString('base64')}`;

/** A proxy that leads everything to one port; it wants credentials when there are some. */
async function startProxy(ports: { target: number }, credentials?: string): Promise<AsyncDisposable & { readonly port: number; readonly asked: string[] }> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer().on('connect', (request, socket, head) => {
    asked.push(request.url ?? '');
    socket.on('error', () => socket.destroy());
    sockets.add(socket as Socket);
    if (request.headers['proxy-authorization'] !== credentials) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n');
      return;
    }
    const out = connect(ports.target, '127.0.0.1').on('error', () => socket.destroy());
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    if (head.length > 0) out.write(head);
    socket.pipe(out).pipe(socket);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    port: (proxy.address() as AddressInfo).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

function rigBehind(port: number, more: object = {}, proxyPassword?: string): Promise<TunnelRig> {
  return startRig({ options: { upstreamProxy: { host: '127.0.0.1', port, ...more } }, proxyPassword, resolve: () => Promise.reject(new Error('nobody asks')) });
}

describe("the tunnel's upstream proxy", () => {
  it('is gone through, with its credentials, and resolves the name itself', async () => {
    const ports = { target: 0 };
    await using proxy = await startProxy(ports, CREDENTIALS);
    await using rig = await rigBehind(proxy.port, { user: 'site', passwordFile: '/unused' }, 'pass:word');
    ports.target = rig.targetPort;
    const { out, err } = await rig.curl([]);
    assert.equal(out, 'end to end\n', err);
    assert.deepEqual(proxy.asked, [`${ALLOWED}:${rig.targetPort}`]);
  });

  it('is quoted when it refuses', async () => {
    await using proxy = await startProxy({ target: 0 }, CREDENTIALS);
    await using rig = await rigBehind(proxy.port);
    const { err } = await rig.curl([]);
    assert.match(err, /502 Bad Gateway \(proxy-refused\)/);
    const [line] = rig.logged();
    assert.match(String(line?.['found']), /answered 407 Proxy Authentication Required .* other credentials/);
    assert.equal(await rig.metric('relay_tunnel_connections_total{outcome="proxy-refused"}'), 1);
    assert.equal(rig.arrived(), 0);
  });

  it('is named when it is away, answers no HTTP, or nothing at all', async () => {
    const gone = await startTcpServer(() => {});
    await gone[Symbol.asyncDispose]();
    await using away = await rigBehind(gone.port);
    assert.match((await away.curl([])).err, /\(unreachable\)/);
    assert.match(String(away.logged()[0]?.['found']), /upstream proxy 127\.0\.0\.1/);
    await using noise = await startTcpServer((socket) => void socket.end('SSH-2.0-OpenSSH\r\n'));
    await using confused = await rigBehind(noise.port);
    assert.match((await confused.curl([])).err, /\(unreachable\)/);
    await using silent = await startTcpServer((socket) => void socket.resume());
    await using waiting = await startRig({ options: { connectTimeout: '100ms', upstreamProxy: { host: '127.0.0.1', port: silent.port } } });
    assert.match((await waiting.curl([])).err, /\(connect-timeout\)/);
  });
});
