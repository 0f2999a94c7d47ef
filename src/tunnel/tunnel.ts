/**
 * The tunnel: HTTP CONNECT (RFC 9110 §9.3.6) to a list of hosts, for agents that have no way out. It reads the ClientHello, to see that
 * TLS goes to the host that was asked for, and nothing behind it; not one byte goes out before.
 */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { messageOf, RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createAllowList } from './allow-list.ts';
import { createClients, type IsKnown } from './clients.ts';
import { createConnectionLimits, TOLD_CONNECTIONS } from './connection-limits.ts';
import { createOpenTunnels } from './open-tunnels.ts';
import type { TunnelOptions } from './options.ts';
import { createRefusalLog } from './refusal-log.ts';
import { createServeConnect } from './serve-connect.ts';
import { createTunnelListener, type TunnelIdentity, tlsOptions } from './tunnel-listener.ts';
import type { UpstreamProxy } from './upstream-proxy.ts';
import { createWayOut, type Resolve } from './way-out.ts';
import { cloudHostsOf, endpointsOf, type TunnelWorkspace } from './well-known-hosts.ts';

export interface TunnelParts {
  readonly options: TunnelOptions;
  /** Of `options.upstreamProxy.passwordFile`. */
  readonly proxyPassword: string | undefined;
  readonly workspaces: readonly TunnelWorkspace[];
  /** Shown to clients when only agents are served. */
  readonly identity: TunnelIdentity;
  readonly isKnown: IsKnown;
  /** In place of the machine's resolver. */
  readonly resolve?: Resolve;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export interface Tunnel {
  /** Listens; returns the port. */
  start(): Promise<number>;
  /** Tunnels that stand. */
  open(): number;
  /** Tells the counters of the bytes since the last time. */
  countBytes(): void;
  /** Shows another certificate from the next handshake on. */
  useIdentity(identity: TunnelIdentity): void;
  /** Takes no more, lets tunnels in which bytes move go on for `deadlineMs`, ends them. */
  stop(deadlineMs: number): Promise<void>;
}

export function createTunnel({ options, proxyPassword, workspaces, identity, isKnown, resolve = resolveAll, clock, metrics, log }: TunnelParts): Tunnel {
  const { clients, helloTimeout, connectTimeout, idleTimeout, maxLife } = options;
  const note = createRefusalLog({ metrics, log });
  const limits = createConnectionLimits({ ...options, onRefused: note });
  const tunnels = createOpenTunnels({ idleTimeoutMs: idleTimeout, maxLifeMs: maxLife, clock, metrics });
  let isStopping = false;

  const serve = createServeConnect({
    judgeLoad: (address) => (isStopping ? { reason: 'stopping', found: 'the relay opens no more' } : limits.judge(address)),
    clientOf: createClients({ clients, addresses: options.clientAddresses, isKnown }),
    judgeTarget: createAllowList({ endpoints: endpointsOf(workspaces), hosts: [...cloudHostsOf(workspaces, options.regions), ...options.allowHosts] }),
    wayOut: createWayOut({ resolve, proxy: proxyOf(options, proxyPassword), connectTimeoutMs: connectTimeout, clock }),
    helloTimeoutMs: helloTimeout,
    clock,
    onRefused: note,
    onOpened(tunnel) {
      metrics.count('tunnelConnections', { outcome: 'opened' });
      tunnels.add(tunnel);
    },
  });

  const onConnect = (authority: string, client: Socket, head: Buffer): void => {
    client.on('error', () => client.destroy());
    client.setTimeout(0);
    serve(authority, client, head).catch((error: unknown) => {
      log.error({ reason: messageOf(error) }, 'a tunnel could not be opened because of a fault');
      client.destroy();
    });
  };

  const listener = createTunnelListener({
    identity: clients === 'agents' ? identity : undefined,
    headTimeoutMs: helloTimeout,
    maxConnections: options.maxConnections + TOLD_CONNECTIONS,
    onConnect,
    onRefused: note,
  });
  listener.on('connection', limits.enter);

  return {
    async start() {
      try {
        listener.listen(options.port, options.address);
        await once(listener, 'listening');
      } catch (cause) {
        throw new RelayError(
          'relay.tunnel.cannot-listen',
          `The tunnel cannot listen on ${options.address} port ${options.port}. Choose another tunnel.address or tunnel.port, or end what listens there.`,
          { cause },
        );
      }
      return (listener.address() as AddressInfo).port;
    },
    open: tunnels.count,
    countBytes: tunnels.countBytes,
    useIdentity(next) {
      if (clients === 'agents') (listener as HttpsServer).setSecureContext(tlsOptions(next));
    },
    async stop(deadlineMs) {
      isStopping = true;
      if (!listener.listening) return void (await tunnels.stop(0));
      const closed = once(listener, 'close');
      listener.close();
      await tunnels.stop(deadlineMs);
      limits.endAll();
      await closed;
    },
  };
}

function proxyOf({ upstreamProxy: { host, port, user } }: TunnelOptions, password: string | undefined): UpstreamProxy | undefined {
  return host === undefined ? undefined : { host, port, user, password };
}

function resolveAll(host: string): ReturnType<Resolve> {
  return lookup(host, { all: true });
}
