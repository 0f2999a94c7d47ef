import { isIP } from 'node:net';
import type { Refusal } from './refusals.ts';
import { authorityOf, bareHost, type Target } from './target.ts';

const HTTPS_PORT = 443;

/** What tunnels may lead to. */
export interface AllowListSettings {
  /** Hosts with exactly these ports: the workspaces' own. */
  readonly endpoints: readonly Target[];
  /** Names, addresses, or `*.` before a domain; port 443 only. */
  readonly hosts: readonly string[];
}

/** `isEndpoint`: a workspace's own host and port, which may be on this machine. */
export type TargetVerdict = { readonly allowed: true; readonly isEndpoint: boolean } | { readonly allowed: false; readonly refusal: Refusal };

/** Which hosts and ports tunnels may lead to. An address is allowed only where exactly this address was configured. */
export function createAllowList({ endpoints, hosts }: AllowListSettings): (target: Target) => TargetVerdict {
  const endpointKeys = new Set(endpoints.map(authorityOf));
  const patterns = hosts.map(bareHost);
  const exact = new Set(patterns.filter((pattern) => !pattern.startsWith('*.')));
  const suffixes = patterns.filter((pattern) => pattern.startsWith('*.')).map((pattern) => pattern.slice(1));

  const allows = (host: string): boolean =>
    exact.has(host) || (isIP(host) === 0 && suffixes.some((suffix) => host.length > suffix.length && host.endsWith(suffix)));

  return (target) => {
    if (endpointKeys.has(authorityOf(target))) return { allowed: true, isEndpoint: true };
    if (allows(target.host))
      return target.port === HTTPS_PORT ? { allowed: true, isEndpoint: false } : refused('port', `port ${target.port} of ${target.host}`);
    return endpoints.some(({ host }) => host === target.host) ? refused('port', `port ${target.port} of ${target.host}`) : refused('host', target.host);
  };
}

function refused(reason: 'host' | 'port', found: string): TargetVerdict {
  return { allowed: false, refusal: { reason, found } };
}
