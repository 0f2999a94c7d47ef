import { isIP } from 'node:net';
import { address, duration, flag, host, list, listeningPort, oneOf, port, secretFile, text, wholeNumber } from '../option-kinds.ts';
import { check, option, optional, type Schema, section } from '../options.ts';

/** Whom the tunnel serves: everybody who reaches it, some addresses, or approved agents by their certificate. */
export type TunnelClients = 'anyone' | 'addresses' | 'agents';

export interface TunnelOptions {
  readonly enabled: boolean;
  /** The IP address to listen on. */
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Host names, or `*.` before a domain. */
  readonly allowHosts: readonly string[];
  /** Azure regions; all when empty. */
  readonly regions: readonly string[];
  readonly clients: TunnelClients;
  /** Networks (CIDR) and single addresses. */
  readonly clientAddresses: readonly string[];
  readonly maxConnections: number;
  /** Connections from one address. */
  readonly maxConnectionsPerClient: number;
  /** Milliseconds until the whole CONNECT, and then the whole ClientHello, is there. */
  readonly helloTimeout: number;
  /** Milliseconds for the way out, a proxy's answer included. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte either way. */
  readonly idleTimeout: number;
  /** Milliseconds that a tunnel lives at most. */
  readonly maxLife: number;
  readonly upstreamProxy: UpstreamProxyOptions;
}

export interface UpstreamProxyOptions {
  /** No proxy when undefined. */
  readonly host?: string | undefined;
  readonly port: number;
  readonly user?: string | undefined;
  readonly passwordFile?: string | undefined;
}

const hostPattern = text('host', 'a host name such as dce.example.org, *.example.org for every name below it, or an IP address', (value) => {
  const name = value.replace(/^\*\./, '');
  return host.read(name) !== undefined && (name === value || isIP(name) === 0);
});

const network = text('network', 'a network such as 10.1.0.0/16 or 2001:db8::/32, or one IP address', (value) => {
  const [start = '', prefix, ...more] = value.split('/');
  const version = isIP(start);
  return version !== 0 && more.length === 0 && (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128)));
});

const region = text('region', 'an Azure region such as westeurope', (value) => /^[a-z][a-z0-9]{2,40}$/.test(value));

const proxyFields = section<UpstreamProxyOptions>({
  host: optional(host, 'none', 'A proxy (HTTP CONNECT) that tunnels go through.'),
  port: option(port, 8080, "That proxy's port."),
  user: optional(
    text('name', 'a user name without a colon', (value) => !value.includes(':')),
    'none',
    'As whom to sign in to it (basic).',
  ),
  passwordFile: optional(secretFile, 'none', 'File with its password, mode 0600.'),
});

const upstreamProxy: Schema<UpstreamProxyOptions> = check(
  check(proxyFields, {
    at: ['passwordFile'],
    isGood: ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
    problem: ({ user }) => (user === undefined ? 'found a password without a user; give both or neither' : 'missing; user and passwordFile go together'),
  }),
  {
    at: ['host'],
    isGood: (found) => found.user === undefined || found.host !== undefined,
    problem: () => 'missing; a user is for a proxy, and its host says which',
  },
);

const fields = section<TunnelOptions>({
  enabled: option(flag, false, 'Whether the tunnel (HTTP CONNECT) is open, for agents that have no way out.'),
  address: option(address, '0.0.0.0', 'Where the tunnel listens; :: takes IPv6 and IPv4.'),
  port: option(listeningPort, 8080, 'The port of the tunnel; 0 takes a free one.'),
  allowHosts: option(
    list(hostPattern),
    [],
    'Hosts that tunnels may lead to (port 443), besides those of the configured workspaces. *.example.org is every name below it.',
  ),
  regions: option(list(region), [], 'Azure regions whose endpoints tunnels may lead to; none means all regions.'),
  clients: option(
    oneOf<TunnelClients>(['anyone', 'addresses', 'agents']),
    'anyone',
    'Who may use the tunnel. agents: the port speaks TLS and asks for the certificate of an approved agent.',
  ),
  clientAddresses: option(list(network), [], 'Networks and addresses that may use the tunnel, with clients: addresses.'),
  maxConnections: option(wholeNumber(1, 1_000_000), 10_000, 'Tunnels at the same time.'),
  maxConnectionsPerClient: option(wholeNumber(1, 1_000_000), 256, 'Tunnels from one address at the same time.'),
  helloTimeout: option(duration({ from: '100ms', to: '5m' }), '10s', 'How long a CONNECT, and then the ClientHello, may take.'),
  connectTimeout: option(duration({ from: '100ms', to: '5m' }), '10s', 'How long connecting to the host may take, by way of upstreamProxy too.'),
  idleTimeout: option(duration({ from: '100ms', to: '1d' }), '5m', 'How long a tunnel without a byte either way is kept.'),
  maxLife: option(duration({ from: '1s', to: '30d' }), '1d', 'How long a tunnel lives at most.'),
  upstreamProxy,
});

export const tunnelOptions: Schema<TunnelOptions> = check(fields, {
  at: ['clientAddresses'],
  isGood: ({ clients, clientAddresses }) => clients !== 'addresses' || clientAddresses?.length !== 0,
  problem: () => 'found none; with clients: addresses, list at least one network such as 10.1.0.0/16',
});
