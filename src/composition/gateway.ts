import type { Identity } from '../authority/agent-identity.ts';
import type { Status } from '../control/api.ts';
import { identify } from '../management-group/identify.ts';
import type { IsKnown } from '../tunnel/clients.ts';
import { createTunnel } from '../tunnel/tunnel.ts';
import type { Building } from './building.ts';
import type { Trust } from './trust.ts';

/** Tunnels carry what agents send again; the relay's own data has the rest of the time. */
const LONGEST_TUNNEL_STOP_MS = 2_000;

/** The way out for agents that have none. It does nothing where the configuration keeps it shut. */
export interface Gateway {
  /** Shows another certificate from the next handshake on. */
  useIdentity(identity: Identity): void;
  /** Tells the counters of the bytes since the last time. */
  countBytes(): void;
  /** Listens; returns the port, or undefined where it stays shut. */
  start(): Promise<number | undefined>;
  /** Undefined while it is not open. */
  status(): Status['tunnel'];
}

export async function createGateway(building: Building, trust: Trust): Promise<Gateway> {
  const { configuration, clock, metrics, component, defer } = building;
  const { workspaces, tunnel: options } = configuration;
  const tunnelParts = { options, workspaces, identity: trust.server.current(), isKnown: knownAgent(trust), clock, metrics, log: component('tunnel') };
  const proxyPassword = await building.readSecret(options.upstreamProxy.passwordFile);
  const tunnel = options.enabled ? createTunnel({ ...tunnelParts, proxyPassword }) : undefined;
  let port: number | undefined;
  return {
    useIdentity: (identity) => tunnel?.useIdentity(identity),
    countBytes: () => tunnel?.countBytes(),
    async start() {
      if (!tunnel) return undefined;
      port = await tunnel.start();
      defer((deadlineMs) => tunnel.stop(Math.min(deadlineMs, LONGEST_TUNNEL_STOP_MS)));
      return port;
    },
    status: () => (tunnel && port !== undefined ? { port, open: tunnel.open() } : undefined),
  };
}

function knownAgent({ group, authentication }: Trust): IsKnown {
  return (der) => {
    const found = identify(group.registry, der, authentication);
    if (!found.known || found.agent.state === 'approved') return found;
    return { known: false, message: `Agent ${found.agent.agentId} (${found.agent.hostName}) is ${found.agent.state}.` };
  };
}
