import { isIP } from 'node:net';

/** Where a tunnel shall lead. */
export interface Target {
  /** In small letters, without brackets and without a dot at its end. */
  readonly host: string;
  readonly port: number;
}

const MAX_CHARS = 300;

/** Reads the authority form of a CONNECT (RFC 9112 §3.2.3): `host:port` or `[address]:port`; undefined when it is none. */
export function readTarget(authority: string): Target | undefined {
  if (authority.length > MAX_CHARS) return undefined;
  const [, bracketed, name, portText] = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(authority) ?? [];
  const port = Number(portText);
  if (!(port >= 1 && port <= 65_535) || (bracketed !== undefined && isIP(bracketed) !== 6)) return undefined;
  const host = bareHost(bracketed ?? name ?? '');
  return host === '' ? undefined : { host, port };
}

/** One spelling for a host: small letters, no dot at its end, the shortest form of an IPv6 address. */
export function bareHost(host: string): string {
  if (isIP(host) !== 6) return host.toLowerCase().replace(/\.$/, '');
  return URL.parse(`https://[${host}]`)?.hostname.slice(1, -1) ?? host.toLowerCase();
}

/** As it stands in a CONNECT. */
export function authorityOf({ host, port }: Target): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
