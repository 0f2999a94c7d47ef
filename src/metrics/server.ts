/** The listener of Prometheus and of health checks, apart from the agents' port. What it takes is small and quick, or is refused. */
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { BlockList, isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Request, type ResponseObject, type ResponseToolkit, Server } from '@hapi/hapi';
import type { Logger } from '../logger.ts';
import type { Metrics } from './metrics.ts';
import type { MetricsOptions } from './options.ts';
import { healthPlugin, metricsPlugin, type Readiness } from './plugin.ts';
import { createSignIn, signInScheme } from './sign-in.ts';

/** A certificate and its private key, both PEM. */
export interface ServerIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface MetricsServerParts {
  readonly metrics: Metrics;
  readonly ready: () => Readiness;
  /** What is shown with `tls`. */
  readonly identity: ServerIdentity;
  readonly log: Logger;
  /** Milliseconds for a handshake, and for a whole request; 10 s unless given. */
  readonly requestTimeoutMs?: number;
}

export interface MetricsServer {
  readonly port: number;
  /** For tests. */
  readonly hapi: Server;
  /** Shows another certificate from the next handshake on. */
  useIdentity(identity: ServerIdentity): void;
  stop(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 75_000;
const MAX_CONNECTIONS = 100;
const MAX_HEADER_BYTES = 8 * 1024;
const STOP_MS = 1_000;

/** Listens. Throws `relay.secret.unreadable` and `relay.secret.empty` when there should be credentials and are none. */
export async function startMetricsServer(options: MetricsOptions, parts: MetricsServerParts): Promise<MetricsServer> {
  const { metrics, ready, log } = parts;
  const listener = createListener(options, parts);
  const hapi = new Server({ listener: listener as never, tls: options.tls, address: options.address, port: options.port, debug: false });
  hapi.ext('onRequest', refuseBodies);
  await requireSignIn(hapi, options, log);
  await hapi.register([
    { plugin: metricsPlugin, options: { metrics } },
    { plugin: healthPlugin, options: { ready } },
  ]);
  await hapi.start();
  return {
    port: Number(hapi.info.port),
    hapi,
    useIdentity: (identity) => void ('setSecureContext' in listener && listener.setSecureContext(contextOf(identity))),
    stop: () => hapi.stop({ timeout: STOP_MS }),
  };
}

function createListener({ tls }: MetricsOptions, { identity, requestTimeoutMs = REQUEST_TIMEOUT_MS }: MetricsServerParts): HttpServer | HttpsServer {
  const limits = {
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // How often Node looks for requests that are too slow; 30 seconds unless told.
    connectionsCheckingInterval: requestTimeoutMs / 2,
  };
  const listener = tls ? createHttpsServer({ ...limits, ...contextOf(identity), handshakeTimeout: requestTimeoutMs }) : createHttpServer(limits);
  listener.maxConnections = MAX_CONNECTIONS;
  // hapi would wait for the handshake's end to answer who does not end it.
  listener.on('tlsClientError', (_error, socket: TLSSocket) => socket.destroy());
  return listener;
}

function contextOf({ certificate, privateKey }: ServerIdentity): { readonly cert: string; readonly key: string; readonly minVersion: 'TLSv1.2' } {
  return { cert: certificate, key: privateKey, minVersion: 'TLSv1.2' };
}

// Who only reads sends nothing: what is sent nevertheless is not waited for.
function refuseBodies(request: Request, h: ResponseToolkit): ResponseObject | symbol {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (Number(length) === 0 && encoding === undefined) return h.continue;
  const error = { code: 'relay.metrics.body', message: 'Metrics and health are only read: send no body.' };
  return h.response({ error }).code(413).header('connection', 'close').takeover();
}

async function requireSignIn(hapi: Server, options: MetricsOptions, log: Logger): Promise<void> {
  const signIn = createSignIn(options, (message) => log.warn(message));
  if (!signIn) return;
  await signIn.check();
  if (!options.tls && !isLoopback(options.address))
    log.warn(
      { address: options.address },
      'the credentials for metrics go over the network as plain text; set metrics.tls: true, or metrics.address: 127.0.0.1',
    );
  hapi.auth.scheme('sign-in', signInScheme);
  hapi.auth.strategy('sign-in', 'sign-in', { signIn, log });
  hapi.auth.default('sign-in');
}

function isLoopback(address: string): boolean {
  const loopback = new BlockList();
  loopback.addSubnet('127.0.0.0', 8);
  loopback.addAddress('::1', 'ipv6');
  return loopback.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}
