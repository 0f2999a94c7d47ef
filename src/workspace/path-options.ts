import { isIP } from 'node:net';
import { host, list, oneOf, path, port, secretFile, text } from '../option-kinds.ts';
import { type Check, check, type Kind, option, optional, type Schema, section } from '../options.ts';

/** By which road data, or signing in, leaves the site. Everything else is refused: data that must not take another road waits. */
export interface PathOptions {
  readonly kind: 'public' | 'proxy' | 'expressroute' | 'private-link';
  /** `proxy`: an HTTP CONNECT proxy. */
  readonly proxy: ProxyOptions;
  /** Local address that connections come from. */
  readonly sourceAddress?: string | undefined;
  /** Network interface that connections leave by. */
  readonly interface?: string | undefined;
  /** Next hop of what comes from `sourceAddress`, or from the interface's address; of the same family as `sourceAddress`. */
  readonly gateway?: string | undefined;
  /** Prefixes (CIDR) that the peer's address must lie in. */
  readonly peers: readonly string[];
  /** Name servers to ask in place of the system's. */
  readonly nameServers: readonly string[];
  /** Addresses of the service, in place of asking for its name. */
  readonly addresses: readonly string[];
}

export interface ProxyOptions {
  readonly host?: string | undefined;
  readonly port: number;
  readonly user?: string | undefined;
  /** Absolute path. */
  readonly passwordFile?: string | undefined;
  /** Absolute path of a PEM with the authorities of a proxy that looks into TLS. */
  readonly trustFile?: string | undefined;
  /** Hosts that are reached without it: a name, `*.suffix`, or a prefix. */
  readonly except: readonly string[];
}

const user = text('name', 'a user name without a colon', (value) => !value.includes(':'));
/** One IP address, of a machine. */
export const ipAddress: Kind<string> = text('IP', 'an IP address such as 10.1.0.4 or fd00::4', (value) => isIP(value) !== 0);
/** A network interface of this machine. */
export const device: Kind<string> = text('interface', 'the name of a network interface such as eth1', (value) => /^[^\s/:]{1,15}$/.test(value));
/** A network in CIDR notation, or one address. */
export const prefix: Kind<string> = text('network', 'a prefix such as 10.1.0.0/16 or 2001:db8::/32, or one IP address', isPrefix);
/** A name server, with its port if that is not 53. */
export const nameServer: Kind<string> = text(
  'name server',
  'an IP address such as 10.1.0.4, with a port if it is not 53: 10.1.0.4:5353 or [fd00::4]:5353',
  isNameServer,
);
/** What is reached without the proxy. */
export const proxyException: Kind<string> = text('host', 'a host name, *.example.org for every name below it, or a prefix such as 10.1.0.0/16', (value) => {
  return isPrefix(value) || host.read(value.replace(/^\*\./, '')) !== undefined;
});

const proxyFields = section<ProxyOptions>({
  host: optional(host, 'none', 'The proxy (HTTP CONNECT).'),
  port: option(port, 8080, "The proxy's port."),
  user: optional(user, 'none', 'User at the proxy (basic).'),
  passwordFile: optional(secretFile, 'none', "File with that user's password, mode 0600. A changed password takes effect at once."),
  trustFile: optional(path, 'none', 'File with the authorities (PEM) of a proxy that looks into TLS, trusted beside the others.'),
  except: option(list(proxyException), [], 'Hosts reached without the proxy: names, *.suffix, or prefixes that hold a host given as an address.'),
});

const proxy: Schema<ProxyOptions> = check(proxyFields, {
  at: ['passwordFile'],
  isGood: (found) => (found?.user === undefined) === (found?.passwordFile === undefined),
  problem: (found) => (found.user === undefined ? 'found a password without a user; give both or neither' : 'missing; user and passwordFile go together'),
});

const fields = section<PathOptions>({
  kind: option(oneOf(['public', 'proxy', 'expressroute', 'private-link']), 'public', 'The road that is taken; no other ever is.'),
  proxy,
  sourceAddress: optional(ipAddress, 'none', 'Local address that connections come from; policy routing by source then decides where they leave.'),
  interface: optional(
    device,
    'none',
    'Network interface whose address connections come from, and that the route must leave by (Linux, asked with ip route get). While it is down or without a carrier nothing is connected.',
  ),
  gateway: optional(
    ipAddress,
    'none',
    'Next hop for connections from sourceAddress, or from the interface. On the appliance a routing table of its own is set up with it; elsewhere set up that routing yourself.',
  ),
  peers: option(list(prefix), [], "Prefixes that the service's address must lie in (expressroute: required; private-link: beside the private ones)."),
  nameServers: option(list(nameServer), [], "Name servers to ask, in place of the system's."),
  addresses: option(list(ipAddress), [], 'Addresses of the service, in place of asking for its name. The TLS name stays the same.'),
});

const isChecked = (kind: unknown): boolean => kind === 'expressroute' || kind === 'private-link';

/** What fits to which road: an option that would not act is refused, because somebody relies on it. */
const CHECKS: readonly Check<PathOptions>[] = [
  {
    at: ['proxy', 'host'],
    isGood: ({ kind, proxy: found }) => kind !== 'proxy' || found?.host !== undefined,
    problem: () => 'missing; the path kind proxy needs it',
  },
  {
    at: ['proxy'],
    isGood: ({ kind, proxy: found }) => kind === 'proxy' || !isProxyGiven(found),
    problem: ({ kind }) => `found a proxy, but the path kind ${kind} never uses one; leave it out, or set kind: proxy`,
  },
  {
    at: ['peers'],
    isGood: ({ kind, peers }) => kind !== 'expressroute' || peers?.length !== 0,
    problem: () => 'found none; the path kind expressroute needs the prefixes that come over the circuit, such as 20.0.0.0/8',
  },
  {
    at: ['peers'],
    isGood: ({ kind, peers }) => isChecked(kind) || !peers?.length,
    problem: ({ kind }) => `found prefixes, but the path kind ${kind} takes any address; leave them out, or set kind: expressroute or private-link`,
  },
  {
    at: ['sourceAddress'],
    isGood: (found) => found.kind !== 'expressroute' || found.sourceAddress !== undefined || found.interface !== undefined,
    problem: () => 'missing; the path kind expressroute needs sourceAddress or interface',
  },
  {
    at: ['gateway'],
    isGood: (found) => found.gateway === undefined || found.sourceAddress !== undefined || found.interface !== undefined,
    problem: () => 'found a gateway, but neither sourceAddress nor interface says for which connections; give one of them, or leave it out',
  },
  {
    at: ['gateway'],
    isGood: ({ gateway, sourceAddress }) => !areFamiliesApart(gateway, sourceAddress),
    problem: ({ gateway, sourceAddress }) => `found ${gateway}, but sourceAddress is ${sourceAddress}; both IPv4, or both IPv6`,
  },
  {
    at: ['nameServers'],
    isGood: ({ kind, nameServers, addresses }) => kind !== 'proxy' || (!nameServers?.length && !addresses?.length),
    problem: () => "found nameServers or addresses, but with the path kind proxy the proxy asks for the service's name; leave them out",
  },
  {
    at: ['addresses'],
    isGood: ({ nameServers, addresses }) => !nameServers?.length || !addresses?.length,
    problem: () => 'found both addresses and nameServers; give one of them',
  },
];

/** The section `path` of a workspace, and `signInPath`. */
export const pathOptions: Schema<PathOptions> = CHECKS.reduce(check, fields);

function isProxyGiven(found: ProxyOptions | undefined): boolean {
  return [found?.host, found?.user, found?.passwordFile, found?.trustFile, found?.except?.[0]].some((each) => each !== undefined);
}

// What could not be read is no address, and is told elsewhere.
function areFamiliesApart(one: unknown, other: unknown): boolean {
  const [first, second] = [one, other].map((each) => (typeof each === 'string' ? isIP(each) : 0));
  return first !== 0 && second !== 0 && first !== second;
}

function isPrefix(value: string): boolean {
  const [start = '', length, ...more] = value.split('/');
  const version = isIP(start);
  return version !== 0 && more.length === 0 && (length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128)));
}

function isNameServer(value: string): boolean {
  if (isIP(value) !== 0) return true;
  const [, bracketed, plain, portText] = /^(?:\[(.+)\]|([\d.]+)):(\d{1,5})$/.exec(value) ?? [];
  const isAddress = bracketed === undefined ? isIP(plain ?? '') === 4 : isIP(bracketed) === 6;
  return isAddress && port.read(Number(portText)) !== undefined;
}
