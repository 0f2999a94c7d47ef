/**
 * The way out of the site for one workspace's data, or for its signing in. Whatever is connected goes by the road of the options or not at
 * all: each connection is looked at before (where the name leads) and after (both ends of the socket), before a byte is sent.
 */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type Clock, every } from '../../clock.ts';
import type { PathOptions } from '../../workspace/path-options.ts';
import type { RoadRefusalReason, RoadState } from '../../workspace/road-state.ts';
import { isPrivate, plainAddress } from './addresses.ts';
import { isExcepted } from './judge.ts';
import { RoadError } from './road-error.ts';
import { otherRoute, type RouteOf, routeBySystem } from './route-check.ts';
import { type Interfaces, type Source, sourceOf } from './source-address.ts';
import { createDirectWay, createProxyWay } from './way.ts';

/** A connection outlives the loss of its source or its route by so much. */
const CHECK_MS = 2_000;

export interface RoadParts {
  readonly clock: Clock;
  /** Told of a secret file that others may read. */
  readonly warn?: (message: string) => void;
  /** Told of each connection that passed every check; milliseconds since 1970. */
  readonly onVerified?: (at: number) => void;
  readonly onRefused?: (reason: RoadRefusalReason) => void;
  /** The machine's own unless given. */
  readonly interfaces?: Interfaces;
  /** The system's own unless given. */
  readonly routeOf?: RouteOf;
}

export interface Road {
  /** A connection to the host, or through the proxy; nothing was sent to the host. Rejects when there is none by this road. */
  open(host: string, port: number, signal: AbortSignal): Promise<Socket>;
  /** PEM to be trusted beside the others: of a proxy that looks into TLS. */
  readonly trust: string | undefined;
  /** How it was last taken. */
  describe(): RoadState;
  /** Ends the connections that are left. Safe to call twice. */
  close(): void;
}

export async function createRoad(options: PathOptions, parts: RoadParts): Promise<Road> {
  const { clock, warn = () => {}, onVerified, onRefused, routeOf = routeBySystem } = parts;
  const trust = options.proxy.trustFile === undefined ? undefined : await readFile(options.proxy.trustFile, 'utf8');
  const source = (): Source => sourceOf(options, parts.interfaces ?? networkInterfaces);
  let state: RoadState = { kind: options.kind };
  const note = (more: Partial<RoadState>): void => {
    state = { ...state, ...more };
  };
  const ways = { source, routeOf, onUnderway: note, warn };
  const [direct, byProxy] = [createDirectWay(options, ways), createProxyWay(options, ways)];
  const wayTo = (host: string): typeof direct => (options.kind === 'proxy' && !isExcepted(host, options.proxy.except) ? byProxy : direct);
  const connections = createConnections(options, ways, clock);

  return {
    trust,
    describe: () => state,
    async open(host, port, signal) {
      try {
        const socket = connections.add(await wayTo(host)(host, port, signal));
        const verifiedAt = clock.now();
        note({ ...endsOf(socket), verifiedAt });
        onVerified?.(verifiedAt);
        return socket;
      } catch (error) {
        if (error instanceof RoadError) {
          note({ refusal: { reason: error.reason, message: error.message, at: clock.now() } });
          onRefused?.(error.reason);
        }
        throw error;
      }
    },
    close: connections.close,
  };
}

function endsOf({ localAddress = '', remoteAddress = '' }: Socket): Pick<RoadState, 'sourceAddress' | 'peerAddress' | 'peerIs'> {
  const peerAddress = plainAddress(remoteAddress);
  return { sourceAddress: plainAddress(localAddress), peerAddress, peerIs: isPrivate(peerAddress) ? 'private' : 'public' };
}

interface Connections {
  add(socket: Socket): Socket;
  close(): void;
}

interface Checks {
  readonly source: () => Source;
  readonly routeOf: RouteOf;
}

/** The connections that stand. They end when their source or their route is gone: the system would send the rest by another road. */
function createConnections({ sourceAddress, interface: device }: PathOptions, { source, routeOf }: Checks, clock: Clock): Connections {
  const open = new Map<Socket, string>();
  const endAll = (): void => {
    for (const socket of open.keys()) socket.destroy();
  };
  const check = async (): Promise<void> => {
    if (open.size === 0) return;
    if (!source().found) return endAll();
    if (device === undefined) return;
    for (const ends of new Set(open.values())) {
      const [address = '', from = ''] = ends.split(' ');
      if (await otherRoute(routeOf, address, { device, from })) return endAll();
    }
  };
  const isBound = sourceAddress !== undefined || device !== undefined;
  const endChecking = isBound ? every(clock, CHECK_MS, check) : undefined;
  return {
    add(socket) {
      open.set(socket, `${socket.remoteAddress} ${socket.localAddress}`);
      // Whoever uses the connection learns of its end; nobody may miss an error before that.
      socket.once('close', () => open.delete(socket)).on('error', () => {});
      return socket;
    },
    close() {
      endChecking?.();
      endAll();
    },
  };
}
