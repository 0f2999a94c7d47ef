/** From the gateway to a host: resolve, look where the name leads, connect; or ask the upstream proxy to. Never sends a byte of a client's. */
import type { LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { isForbiddenAddress } from './forbidden-addresses.ts';
import type { Refusal } from './refusals.ts';
import { authorityOf, type Target } from './target.ts';
import { connectByProxy, type UpstreamProxy } from './upstream-proxy.ts';

/** The addresses of a host's name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface WayOutParts {
  readonly resolve: Resolve;
  readonly proxy: UpstreamProxy | undefined;
  readonly connectTimeoutMs: number;
  readonly clock: Clock;
}

export type Opened = { readonly opened: true; readonly socket: Socket } | { readonly opened: false; readonly refusal: Refusal };

export interface WayOut {
  /** `isEndpoint`: the operator named exactly this host and port, so it may be on this machine. */
  open(target: Target, isEndpoint: boolean): Promise<Opened>;
}

export function createWayOut({ resolve, proxy, connectTimeoutMs, clock }: WayOutParts): WayOut {
  const opening = async (target: Target, isEndpoint: boolean, signal: AbortSignal): Promise<Opened> => {
    if (proxy) return await connectByProxy(proxy, target, signal);
    const addresses = await addressesOf(target.host, resolve, signal);
    if (typeof addresses === 'string') return failed('unresolved', `${target.host}: ${addresses}`);
    const forbidden = isEndpoint ? undefined : addresses.find(({ address }) => isForbiddenAddress(address));
    return forbidden ? failed('forbidden-address', `${target.host} is ${forbidden.address}`) : await connectTo(target, addresses, signal);
  };

  return {
    async open(target, isEndpoint) {
      const ended = new AbortController();
      const cancel = clock.after(connectTimeoutMs, () => ended.abort());
      try {
        const opened = await opening(target, isEndpoint, ended.signal);
        return !opened.opened && ended.signal.aborted ? failed('connect-timeout', `${authorityOf(target)} after ${connectTimeoutMs} ms`) : opened;
      } finally {
        cancel();
      }
    },
  };
}

async function addressesOf(host: string, resolve: Resolve, signal: AbortSignal): Promise<readonly LookupAddress[] | string> {
  const version = isIP(host);
  if (version !== 0) return [{ address: host, family: version }];
  // A resolver cannot be told to stop; it is no longer waited for.
  const ended = new Promise<string>((done) => signal.addEventListener('abort', () => done('no answer in time'), { once: true }));
  const answered = resolve(host).then((found) => (found.length === 0 ? 'it has no address' : found), messageOf);
  return await Promise.race([answered, ended]);
}

// The addresses that were looked at are the ones connected to: nobody asks DNS a second time.
function connectTo({ host, port }: Target, addresses: readonly LookupAddress[], signal: AbortSignal): Promise<Opened> {
  const lookup: LookupFunction = (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
  return new Promise((done) => {
    const socket = connect({ host, port, lookup, allowHalfOpen: true, noDelay: true });
    const onAbort = (): void => void socket.destroy(new Error('it took too long'));
    const onError = (error: Error): void => {
      signal.removeEventListener('abort', onAbort);
      done(failed('unreachable', `${host} port ${port}: ${messageOf(error)}`));
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      done({ opened: true, socket });
    });
  });
}

function failed(reason: Refusal['reason'], found: string): Opened {
  return { opened: false, refusal: { reason, found } };
}
