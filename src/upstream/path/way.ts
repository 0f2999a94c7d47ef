/** The two ways a road can take: straight to the host, or through a proxy. */
import type { Socket } from 'node:net';
import { readSecretFile } from '../../files.ts';
import type { PathOptions } from '../../workspace/path-options.ts';
import type { ResolvedHost } from '../../workspace/road-state.ts';
import { askProxy, type ProxyCredentials, proxyGone } from './ask-proxy.ts';
import { dial } from './dial.ts';
import { judgeAddresses } from './judge.ts';
import { createResolveHost } from './resolve-host.ts';
import { roadError } from './road-error.ts';
import type { RouteOf } from './route-check.ts';
import type { Source } from './source-address.ts';

/** Opens a connection on which nothing was sent to the host. Rejects when there is none. */
export type Way = (host: string, port: number, signal: AbortSignal) => Promise<Socket>;

/** What was found out on the way, whether or not it is taken to its end. */
export interface Underway {
  readonly resolved: ResolvedHost;
  readonly proxy?: string | undefined;
}

export interface WayParts {
  readonly source: () => Source;
  readonly routeOf: RouteOf;
  readonly onUnderway: (found: Underway) => void;
  readonly warn: (message: string) => void;
}

export function createDirectWay(options: PathOptions, { source, routeOf, onUnderway }: WayParts): Way {
  const resolve = createResolveHost({ ...options, showsChain: options.kind === 'private-link' || options.nameServers.length > 0 });
  return async (host, port, signal) => {
    const resolved = await untilAborted(resolve(host), signal);
    onUnderway({ resolved, proxy: undefined });
    const judgement = judgeAddresses(options, resolved);
    if (!judgement.allowed) throw roadError(judgement.reason, judgement.message);
    return await dial({ host, port, addresses: resolved.addresses }, { source: source(), routeOf, signal });
  };
}

export function createProxyWay(options: PathOptions, { source, routeOf, onUnderway, warn }: WayParts): Way {
  const { host: proxyHost = '', port: proxyPort } = options.proxy;
  const proxy = `${proxyHost}:${proxyPort}`;
  const resolveProxy = createResolveHost({ nameServers: [], addresses: [], showsChain: false });
  return async (host, port, signal) => {
    const credentials = await credentialsOf(options, warn);
    onUnderway({ resolved: { host, addresses: [], chain: [], by: 'the proxy' }, proxy });
    try {
      const { addresses } = await untilAborted(resolveProxy(proxyHost), signal);
      const socket = await dial({ host: proxyHost, port: proxyPort, addresses }, { source: source(), routeOf, signal });
      return await askProxy({ proxy, socket, credentials, signal }, host, port);
    } catch (error) {
      throw proxyGone(proxy, error);
    }
  };
}

// Read at each connection, so that a changed password takes effect at once.
async function credentialsOf({ proxy: { user, passwordFile } }: PathOptions, warn: WayParts['warn']): Promise<ProxyCredentials | undefined> {
  return user === undefined || passwordFile === undefined ? undefined : { user, password: await readSecretFile(passwordFile, warn) };
}

// A resolver cannot be told to stop; it is no longer waited for.
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) throw signal.reason;
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
