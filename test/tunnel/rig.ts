/** A tunnel of a test's own, a server behind it, and ways to ask through it. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../src/clock.ts';
import { createProgramLog } from '../../src/logger.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { type TunnelOptions, tunnelOptions } from '../../src/tunnel/options.ts';
import { createTunnel, type Tunnel, type TunnelParts } from '../../src/tunnel/tunnel.ts';
import type { Resolve } from '../../src/tunnel/way-out.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startHttpsServer } from '../upstream/https-server.ts';

/** A workspace's own host; no resolver but the rig's knows it. */
export const ALLOWED = 'allowed.test';

export interface TunnelRig extends AsyncDisposable {
  readonly tunnel: Tunnel;
  readonly port: number;
  /** Of the server behind it. */
  readonly targetPort: number;
  /** File with the authority its certificate is from. */
  readonly rootFile: string;
  readonly folder: string;
  /** TCP connections that came to the server behind it. */
  arrived(): number;
  /** Lines of its log. */
  logged(): readonly Record<string, unknown>[];
  /** A metric's value; 0 when it has none. */
  metric(name: string): Promise<number>;
  curl(args: readonly string[], url?: string): Promise<Curled>;
}

export interface Curled {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RigSettings extends Partial<Pick<TunnelParts, 'isKnown' | 'identity' | 'proxyPassword'>> {
  readonly options?: Record<string, unknown>;
  readonly clock?: Clock;
  readonly resolve?: Resolve;
  /** Where the workspace is, in place of the server behind the tunnel. */
  readonly endpointPort?: number;
}

export async function startRig(settings: RigSettings = {}): Promise<TunnelRig> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const target = parts.use(await startHttpsServer((_request, response) => response.end('end to end\n'), [ALLOWED, 'other.test', '127.0.0.1']));
  const lines: Record<string, unknown>[] = [];
  const metrics = createMetrics();
  const clock = settings.clock ?? systemClock;
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  const targetPort = settings.endpointPort ?? target.port;
  const tunnel = createTunnel({
    options: tunnelOptions.parse({ enabled: true, address: '127.0.0.1', port: 0, ...settings.options }) as TunnelOptions,
    proxyPassword: settings.proxyPassword,
    workspaces: [
      { id: 'w', domain: 'opinsights.azure.com', endpoint: `https://${ALLOWED}:${targetPort}` },
      { id: 'v', domain: 'opinsights.azure.com', endpoint: `https://127.0.0.1:${targetPort}` },
    ],
    identity: settings.identity ?? { certificate: '', privateKey: '' },
    isKnown: settings.isKnown ?? (() => ({ known: false, message: 'nobody is known' })),
    resolve: settings.resolve ?? (async () => [{ address: '127.0.0.1', family: 4 }]),
    clock,
    metrics,
    log: createProgramLog({ level: 'debug', clock, destination }).log,
  });
  const port = await tunnel.start();
  parts.defer(() => tunnel.stop(0));
  const rootFile = join(folder, 'root.pem');
  await writeFile(rootFile, target.rootPem);
  const all = parts.move();
  return {
    tunnel,
    port,
    targetPort,
    rootFile,
    folder,
    arrived: target.connections,
    logged: () => lines,
    async metric(name) {
      tunnel.countBytes();
      const line = (await metrics.expose()).split('\n').find((each) => each.startsWith(`${name} `));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    curl: (args, url = `https://${ALLOWED}:${targetPort}/`) => curl(['-x', `http://127.0.0.1:${port}`, '--cacert', rootFile, '--max-time', '20', ...args, url]),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Runs curl; never throws. */
export function curl(args: readonly string[]): Promise<Curled> {
  return new Promise((resolve) => {
    execFile('curl', ['-sSv', ...args], (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
  });
}

/** A connection to the tunnel that is written by hand. */
export interface Wire extends Disposable {
  readonly socket: Socket;
  /** Everything that came back. */
  said(): Buffer;
  /** Resolves when it is closed. */
  ended(): Promise<void>;
}

/** Sends these bytes to a port. */
export async function wire(port: number, bytes: string | Buffer = ''): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => socket.destroy());
  socket.on('end', () => socket.end());
  await once(socket, 'connect');
  if (bytes.length > 0) socket.write(bytes);
  return {
    socket,
    said: () => Buffer.concat(chunks),
    ended: async () => void (await eventually('the connection is closed', () => socket.destroyed || undefined, 20_000)),
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

/** The same, with a tunnel asked for and given. */
export async function tunnelTo(rig: TunnelRig, host: string = ALLOWED): Promise<Wire> {
  const opened = await wire(rig.port, `CONNECT ${host}:${rig.targetPort} HTTP/1.1\r\nHost: ${host}:${rig.targetPort}\r\n\r\n`);
  await eventually('the tunnel is given', () => opened.said().includes('\r\n\r\n'));
  return opened;
}

/** A plain TCP server of a test's own. */
export async function startTcpServer(onConnection: (socket: Socket) => void): Promise<AsyncDisposable & { readonly port: number; readonly server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
