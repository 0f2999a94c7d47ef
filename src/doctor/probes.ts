/** The small ports by which the doctor gathers facts of a road; each in its time limit. What they do is what a sender would do, and nothing more. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { type PeerCertificate, connect as startTls, type TLSSocket } from 'node:tls';
import { createResolveHost } from '../upstream/path/resolve-host.ts';
import type { PathOptions } from '../workspace/path-options.ts';
import type { ResolvedHost } from '../workspace/road-state.ts';
import { type Outcome, within } from './within.ts';

const MAX_ADDRESSES = 8;

export interface TlsFacts {
  readonly protocol: string;
  /** Why its certificate is not trusted; undefined when it is. */
  readonly fault: string | undefined;
  /** Common names, the server's own first. */
  readonly chain: readonly string[];
  readonly names: string;
  /** Milliseconds since 1970. */
  readonly beginsAt: number;
  readonly endsAt: number;
  readonly socket: TLSSocket;
}

export interface ClockFacts {
  readonly status: number;
  /** How far the service's clock is ahead of ours; undefined when its answer bears no date. */
  readonly offsetMs: number | undefined;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly socket: Socket;
}

export interface ConnectWanted {
  readonly addresses: readonly string[];
  readonly port: number;
  /** The local address for each family; undefined where the system chooses. */
  readonly source: (family: number) => string | undefined;
}

export interface ProxyWanted {
  /** Host and port behind the proxy. */
  readonly authority: string;
  /** `user:password`. */
  readonly credentials: string | undefined;
}

export interface TlsWanted {
  readonly host: string;
  readonly trust: readonly string[];
}

export interface Probes {
  name(host: string, path: PathOptions, limitMs: number): Promise<Outcome<ResolvedHost>>;
  /** The address that the kernel would send from. */
  source(wanted: ConnectWanted, limitMs: number): Promise<Outcome<string>>;
  connect(wanted: ConnectWanted, limitMs: number): Promise<Outcome<Socket>>;
  proxy(socket: Socket, wanted: ProxyWanted, limitMs: number): Promise<Outcome<ProxyAnswer>>;
  tls(socket: Socket, wanted: TlsWanted, limitMs: number): Promise<Outcome<TlsFacts>>;
  clock(socket: TLSSocket, host: string, limitMs: number): Promise<Outcome<ClockFacts>>;
}

export function createProbes(now: () => number): Probes {
  return {
    name: (host, { nameServers, addresses }, limitMs) => within(limitMs, () => createResolveHost({ nameServers, addresses, showsChain: true })(host)),
    source: (wanted, limitMs) => within(limitMs, () => sourceTowards(wanted)),
    connect: (wanted, limitMs) => within(limitMs, (signal) => connectFirst(wanted, signal)),
    proxy: (socket, wanted, limitMs) => within(limitMs, (signal) => throughProxy(socket, wanted, signal)),
    tls: (socket, wanted, limitMs) => within(limitMs, (signal) => shakeHands(socket, wanted, signal)),
    clock: (socket, host, limitMs) => within(limitMs, (signal) => askDate({ socket, host, now, signal })),
  };
}

// Connecting a UDP socket sends nothing: the kernel only chooses the way.
async function sourceTowards({ addresses: [address = ''], port, source }: ConnectWanted): Promise<string> {
  const socket = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
  try {
    const failed = once(socket, 'error').then(([error]: unknown[]) => {
      throw error;
    });
    failed.catch(() => {});
    const local = source(isIP(address));
    if (local !== undefined) {
      socket.bind(0, local);
      await Promise.race([once(socket, 'listening'), failed]);
    }
    socket.connect(port, address);
    await Promise.race([once(socket, 'connect'), failed]);
    return socket.address().address;
  } finally {
    socket.close();
  }
}

// All at once: an address that swallows what is sent must not hide one that answers.
async function connectFirst({ addresses, port, source }: ConnectWanted, signal: AbortSignal): Promise<Socket> {
  const decided = new AbortController();
  const ending = AbortSignal.any([signal, decided.signal]);
  const attempts = addresses.slice(0, MAX_ADDRESSES).map((host) => connectOne({ host, port, localAddress: source(isIP(host)) }, ending));
  const first = await Promise.any(attempts);
  decided.abort();
  for (const attempt of await Promise.allSettled(attempts)) {
    if (attempt.status === 'fulfilled' && attempt.value !== first) attempt.value.destroy();
  }
  return first;
}

async function connectOne(
  { host, port, localAddress }: { host: string; port: number; localAddress: string | undefined },
  signal: AbortSignal,
): Promise<Socket> {
  const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) });
  // Whatever comes later is told by the step that waits for the socket then.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function throughProxy(socket: Socket, { authority, credentials }: ProxyWanted, signal: AbortSignal): Promise<ProxyAnswer> {
  const authorization = credentials === undefined ? {} : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  return new Promise((resolve, reject) => {
    const asking = request({ method: 'CONNECT', path: authority, headers: { host: authority, ...authorization }, createConnection: () => socket, signal });
    asking.on('connect', (answer) => resolve({ status: answer.statusCode ?? 0, socket }));
    asking.on('response', (answer) => resolve({ status: answer.statusCode ?? 0, socket }));
    asking.on('error', reject);
    asking.end();
  });
}

async function shakeHands(socket: Socket, { host, trust }: TlsWanted, signal: AbortSignal): Promise<TlsFacts> {
  const name = isIP(host) === 0 ? { servername: host } : {};
  // Trusted or not, the handshake ends: what is wrong is to be told, and nothing is sent that is a secret.
  const secure = startTls({ socket, host, ...name, ca: [...trust], minVersion: 'TLSv1.2', rejectUnauthorized: false });
  secure.on('error', () => {});
  signal.addEventListener('abort', () => secure.destroy());
  await once(secure, 'secureConnect', { signal });
  const certificate = secure.getPeerCertificate(true);
  return {
    protocol: secure.getProtocol() ?? 'unknown',
    fault: secure.authorized ? undefined : String(secure.authorizationError),
    chain: chainNames(certificate),
    names: certificate.subjectaltname ?? '',
    beginsAt: Date.parse(certificate.valid_from),
    endsAt: Date.parse(certificate.valid_to),
    socket: secure,
  };
}

function chainNames(leaf: PeerCertificate & { issuerCertificate?: PeerCertificate }): string[] {
  const names: string[] = [];
  const seen = new Set<string>();
  for (let one: typeof leaf | undefined = leaf; one?.fingerprint256 && !seen.has(one.fingerprint256); one = one.issuerCertificate) {
    seen.add(one.fingerprint256);
    names.push([one.subject?.CN ?? one.subject?.O ?? 'no name'].flat().join(' '));
  }
  return names;
}

interface Asking {
  readonly socket: TLSSocket;
  readonly host: string;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

function askDate({ socket, host, now, signal }: Asking): Promise<ClockFacts> {
  return new Promise((resolve, reject) => {
    const askedAt = now();
    const asking = request({ method: 'GET', path: '/', headers: { host, connection: 'close' }, createConnection: () => socket, signal }, (answer) => {
      const date = Date.parse(answer.headers.date ?? '');
      answer.resume();
      // A date has whole seconds: in the middle it is half of one later.
      resolve({ status: answer.statusCode ?? 0, offsetMs: Number.isNaN(date) ? undefined : date + 500 - (askedAt + now()) / 2 });
    });
    asking.on('error', reject);
    asking.end();
  });
}
