import type { Identity } from '../authority/agent-identity.ts';
import { type Connection, type ConnectionOptions, createConnection } from './connection.ts';

// A request under way on the old certificate may end; the relay goes on accepting that for a while (§2.3).
const OLD_CONNECTION_GRACE_MS = 60_000;

/** The agent's way to its relay, whichever certificate it has at the moment. */
export interface RelayLink extends Connection {
  readonly identity: Identity;
  /** A second connection to the same relay, for another certificate. Whoever asked for it closes it or puts it in place. */
  open(identity: Identity): Connection;
  /** From now on everything goes over `connection`, which is `identity`'s. */
  replace(identity: Identity, connection: Connection): void;
}

/** Prepares the way to the relay; `close` ends every connection it opened. */
export function createRelayLink({ identity, ...relay }: ConnectionOptions): RelayLink {
  const connections = new Set<Connection>();
  const open = (of: Identity): Connection => {
    const connection = createConnection({ ...relay, identity: of });
    connections.add(connection);
    return connection;
  };
  let current = { identity, connection: open(identity) };
  return {
    get identity() {
      return current.identity;
    },
    open,
    replace(newIdentity, newConnection) {
      const old = current.connection;
      current = { identity: newIdentity, connection: newConnection };
      void old.close(OLD_CONNECTION_GRACE_MS).finally(() => connections.delete(old));
    },
    post: (path, headers, body) => current.connection.post(path, headers, body),
    async close(graceMs) {
      await Promise.all([...connections].map((connection) => connection.close(graceMs)));
    },
  };
}
