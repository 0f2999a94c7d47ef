import type { LookupAddress } from 'node:dns';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import { judgeEnds } from './judge.ts';
import { roadError } from './road-error.ts';
import { otherRoute, type RouteOf } from './route-check.ts';
import type { Source } from './source-address.ts';

export interface Place {
  readonly host: string;
  readonly port: number;
  /** The only ones that are connected to: nobody asks a name server a second time. */
  readonly addresses: readonly string[];
}

export interface DialParts {
  readonly source: Source;
  readonly routeOf: RouteOf;
  readonly signal: AbortSignal;
}

/** Connects, and looks at both ends of the socket before anything is sent. Rejects with the network's error or with a refusal; then there is no connection. */
export async function dial(place: Place, { source, routeOf, signal }: DialParts): Promise<Socket> {
  if (!source.found) throw roadError('no-source', source.message);
  const bindings = place.addresses.map((address) => ({ address, family: isIP(address), from: source.address(isIP(address)) }));
  const usable = source.isBound ? bindings.filter(({ from }) => from !== undefined) : bindings;
  const [first] = usable;
  if (!first) throw roadError('no-source', `${place.host} has addresses of a family that the source has not: ${place.addresses.join(', ')}. Nothing is sent.`);
  // A socket is bound to one address, so all that it tries are of that address's family.
  const tried = source.isBound ? usable.filter(({ family }) => family === first.family) : usable;
  const { device } = source;
  for (const { address, from } of tried) {
    const refusal = device === undefined || from === undefined ? undefined : await otherRoute(routeOf, address, { device, from });
    if (refusal) throw refusal;
  }
  const socket = await open({ place, tried, localAddress: first.from, signal });
  const judgement = judgeEnds(socket, { addresses: tried.map(({ address }) => address), source: first.from });
  if (judgement.allowed) return socket;
  socket.destroy();
  throw roadError(judgement.reason, judgement.message);
}

interface Opening {
  readonly place: Place;
  readonly tried: readonly LookupAddress[];
  readonly localAddress: string | undefined;
  readonly signal: AbortSignal;
}

function open({ place: { host, port }, tried, localAddress, signal }: Opening): Promise<Socket> {
  const lookup: LookupFunction = (_host, options, callback) => {
    const [first] = tried;
    if (options.all) callback(null, [...tried]);
    else callback(null, first?.address ?? '', first?.family);
  };
  return new Promise((resolve, reject) => {
    // A literal address would not be looked up: pinned addresses stand for it too.
    const target = isIP(host) === 0 ? { host, lookup } : { host: tried[0]?.address ?? host };
    const socket = connect({ ...target, port, ...(localAddress === undefined ? {} : { localAddress }), noDelay: true });
    const onAbort = (): void => void socket.destroy(signal.reason as Error);
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError).off('connect', onConnect);
    };
    const onError = (error: Error): void => {
      settle();
      reject(error);
    };
    const onConnect = (): void => {
      settle();
      resolve(socket);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError).once('connect', onConnect);
    if (signal.aborted) onAbort();
  });
}
