/**
 * The listener of syslog over TLS (RFC 5425): TLS 1.2 or later with client certificates asked for. They are not verified by chain: who they
 * belong to is decided by fingerprint, as on the agents' listener.
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Identity } from '../../authority/agent-identity.ts';
import type { Fingerprint } from '../../authority/x509.ts';
import { messageOf, RelayError } from '../../errors.ts';
import type { Agent } from '../../management-group/agent.ts';
import { type IdentifySettings, identify, identifyFingerprint } from '../../management-group/identify.ts';
import type { Registry } from '../../management-group/registry.ts';
import { fingerprintOfConnection, mustBeApproved } from '../client-certificate.ts';
import { handshakeFailure } from '../handshake-failure.ts';
import type { SyslogOptions } from '../sender-options.ts';
import { createByteBudget } from './byte-budget.ts';
import { createStoreBatch, type StoreBatchParts } from './store-batch.ts';
import { noteRefusal, type SyslogConnection, serveConnection } from './syslog-connection.ts';

/** Records of all connections that are not kept yet. Above it nobody is read until some are kept. */
const MOST_WAITING_BYTES = 64 * 1024 * 1024;
/** How long a stop takes what is under way. */
const LONGEST_GRACE_MS = 10_000;

export interface SyslogServerParts extends StoreBatchParts {
  readonly options: SyslogOptions;
  readonly identity: Identity;
  readonly authentication: IdentifySettings & { readonly registry: Registry };
  /** Milliseconds for a TLS handshake. */
  readonly handshakeTimeoutMs: number;
  /** Bytes of a batch that can be opened again later. */
  readonly maxInflatedBytes: number;
}

export interface SyslogServer {
  /** Uses another certificate from the next handshake on. */
  useIdentity(identity: Identity): void;
  /** Ends the connections made with one of these certificates. */
  disconnect(fingerprints: readonly Fingerprint[]): void;
  /** Connections that stand. */
  open(): number;
  /** Listens; returns the port. Throws `relay.syslog.cannot-listen`. */
  start(): Promise<number>;
  /** Takes no more, keeps what was read within `deadlineMs`, ends the connections. */
  stop(deadlineMs: number): Promise<void>;
}

interface Open {
  readonly fingerprint: Fingerprint | undefined;
  readonly connection: SyslogConnection;
}

export function createSyslogServer(parts: SyslogServerParts): SyslogServer {
  const { options, clock, metrics, log } = parts;
  const listener = createListener(parts);
  const budget = createByteBudget(MOST_WAITING_BYTES);
  const store = createStoreBatch(parts);
  const batchBytes = Math.min(options.batchSize, parts.maxInflatedBytes);
  /** Those whose messages are not all kept are among them, also when the sender has gone. */
  const open = new Set<Open>();

  /** From their first moment on: a handshake may be under way when all must end. */
  const sockets = new Set<Socket>();
  listener.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });

  const serve = (socket: TLSSocket): void => {
    // Its handshake outlived the listener.
    if (!listener.listening) return void socket.destroy();
    const fingerprint = fingerprintOfConnection(socket);
    const mustBeSender = (): Agent => senderOf(fingerprint, parts.authentication);
    try {
      parts.authentication.registry.touch(mustBeSender());
    } catch (error) {
      socket.on('error', () => socket.destroy()).destroy();
      metrics.count('syslogEnded', { reason: 'refused' });
      noteRefusal(error, socket.remoteAddress, parts);
      return;
    }
    const { batchEvery: batchEveryMs, maxMessageSize: maxMessageBytes, idleTimeout: idleTimeoutMs } = options;
    const limits = { batchEveryMs, batchBytes, maxMessageBytes, idleTimeoutMs };
    const one = { fingerprint, connection: serveConnection({ socket, mustBeSender, ...limits, store, budget, clock, metrics, log }) };
    open.add(one);
    void one.connection.done.then(() => open.delete(one));
  };
  listener.on('secureConnection', serve);
  metrics.beforeScrape(() => {
    metrics.set('syslogConnections', {}, open.size);
    metrics.set('syslogWaiting', {}, budget.taken());
  });

  const countLost = (): void => {
    const lost = [...open].reduce((sum, { connection }) => sum + connection.waiting(), 0);
    for (const { connection } of open) connection.giveUp();
    if (lost === 0) return;
    metrics.count('syslogLost', {}, lost);
    log.error({ messages: lost }, 'the relay stops, and the cache did not take what syslog senders had sent: these messages are lost');
  };

  return {
    useIdentity: (next) => listener.setSecureContext({ cert: next.certificate, key: next.privateKey, minVersion: 'TLSv1.2' }),
    disconnect(fingerprints) {
      for (const { fingerprint, connection } of [...open]) if (fingerprint !== undefined && fingerprints.includes(fingerprint)) connection.refuse();
    },
    open: () => open.size,
    async start() {
      try {
        listener.listen(options.port, options.address);
        await once(listener, 'listening');
      } catch (cause) {
        throw new RelayError(
          'relay.syslog.cannot-listen',
          `Syslog cannot be taken on ${options.address} port ${options.port}. Choose another senders.syslog.address or senders.syslog.port, or end what listens there.`,
          { cause },
        );
      }
      return (listener.address() as AddressInfo).port;
    },
    async stop(deadlineMs) {
      if (!listener.listening) return;
      listener.close();
      const graceMs = Math.min(LONGEST_GRACE_MS, deadlineMs / 2);
      for (const { connection } of open) connection.stop(graceMs);
      const { promise: over, resolve } = Promise.withResolvers<void>();
      const cancel = clock.after(deadlineMs, resolve);
      await Promise.race([Promise.all([...open].map(({ connection }) => connection.done)), over]);
      cancel();
      countLost();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function createListener({ options, identity, handshakeTimeoutMs, metrics, log }: SyslogServerParts): Server {
  const listener = createServer({
    cert: identity.certificate,
    key: identity.privateKey,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: handshakeTimeoutMs,
  });
  listener.maxConnections = options.maxConnections;
  const failed = (reason: string, remoteAddress: string | undefined, detail: string): void => {
    metrics.count('connectionsFailed', { reason });
    log[reason === 'reset' ? 'debug' : 'info']({ reason, remoteAddress, detail }, 'a connection to the syslog port failed');
  };
  listener.on('tlsClientError', (error: Error & { code?: string }, socket: Socket) => {
    failed(handshakeFailure(error.code), socket.remoteAddress, messageOf(error));
    socket.destroy();
  });
  listener.on('drop', (dropped) =>
    failed('too-many', dropped?.remoteAddress, `${options.maxConnections} connections are open (senders.syslog.maxConnections)`),
  );
  return listener;
}

function senderOf(fingerprint: Fingerprint | undefined, settings: SyslogServerParts['authentication']): Agent {
  const found = fingerprint === undefined ? identify(settings.registry, undefined, settings) : identifyFingerprint(settings.registry, fingerprint, settings);
  if (!found.known) throw new RelayError(`relay.agent.${found.reason}`, found.message);
  return mustBeApproved(found.agent);
}
