import type { Socket } from 'node:net';
import type { Refusal } from './refusals.ts';

/** Above its limit so many connections of a client are still told why. */
export const TOLD_CONNECTIONS: number = 64;

export interface ConnectionLimitsParts {
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
  readonly onRefused: (refusal: Refusal, remoteAddress: string) => void;
}

export interface ConnectionLimits {
  /** Counts a connection until it is closed; ends it when its client has far too many. */
  enter(socket: Socket): void;
  /** Why there may be no tunnel more for this address; undefined when there may. */
  judge(address: string): Refusal | undefined;
  endAll(): void;
}

/** How many connections there are, in all and by address, from their first moment on. */
export function createConnectionLimits({ maxConnections, maxConnectionsPerClient, onRefused }: ConnectionLimitsParts): ConnectionLimits {
  const connections = new Set<Socket>();
  const perClient = new Map<string, number>();

  const leave = (socket: Socket, address: string): void => {
    connections.delete(socket);
    const left = (perClient.get(address) ?? 1) - 1;
    if (left === 0) perClient.delete(address);
    else perClient.set(address, left);
  };

  const ofClient = (address: string): Refusal => ({
    reason: 'too-many-of-client',
    found: `${address} has ${perClient.get(address) ?? 0} connections, and ${maxConnectionsPerClient} are allowed`,
  });

  return {
    enter(socket) {
      const address = socket.remoteAddress ?? '';
      const count = (perClient.get(address) ?? 0) + 1;
      connections.add(socket);
      perClient.set(address, count);
      socket.once('close', () => leave(socket, address));
      if (count <= maxConnectionsPerClient + TOLD_CONNECTIONS) return;
      onRefused(ofClient(address), address);
      socket.destroy();
    },
    judge(address) {
      if (connections.size > maxConnections) return { reason: 'too-many', found: `${maxConnections} connections are allowed` };
      return (perClient.get(address) ?? 0) > maxConnectionsPerClient ? ofClient(address) : undefined;
    },
    endAll() {
      for (const socket of connections) socket.destroy();
    },
  };
}
