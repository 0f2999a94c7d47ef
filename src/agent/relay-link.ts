import type { Identity } from '../authority/agent-identity.ts';
import { type Connection, type ConnectionOptions, createConnection } from './connection.ts';

// A request under way on the old certificate may end; the relay goes on accepting that for a while (§2.3).
const OLD_CONNECTION_GRACE_MS = 60_000;

/** The agent's way to its relay, whichever certificate it has and whichever roots it trusts at the moment. */
export interface RelayLink extends Connection {
  readonly identity: Identity;
  /** PEM of the roots trusted now. */
  readonly root: string;
  /** A second connection to the same relay, for another certificate or by other roots. Whoever asked for it drops it or puts it in place. */
  open(identity: Identity, root?: string): Connection;
  /** Ends such a connection. */
  drop(connection: Connection): Promise<void>;
  /** From now on everything goes over `connection`, which is `identity`'s. */
  replace(identity: Identity, connection: Connection): void;
  /** From now on every connection is verified by these roots (PEM). */
  trust(root: string): void;
}

/** Prepares the way to the relay; `close` ends every connection it opened. */
export function createRelayLink({ identity, root, ...relay }: ConnectionOptions): RelayLink {
  /** With the roots by which each verifies the relay. */
  const connections = new Map<Connection, string>();
  let trusted = root;
  const open = (of: Identity, by: string = trusted): Connection => {
    const connection = createConnection({ ...relay, root: by, identity: of });
    connections.set(connection, by);
    return connection;
  };
  const drop = async (connection: Connection, graceMs?: number): Promise<void> => {
    await connection.close(graceMs);
    connections.delete(connection);
  };
  let current = { identity, connection: open(identity) };
  const use = (newIdentity: Identity, connection: Connection): void => {
    const old = current.connection;
    current = { identity: newIdentity, connection };
    void drop(old, OLD_CONNECTION_GRACE_MS);
  };
  return {
    get identity() {
      return current.identity;
    },
    get root() {
      return trusted;
    },
    open,
    drop: (connection) => drop(connection),
    replace(newIdentity, connection) {
      if (connections.get(connection) === trusted) return use(newIdentity, connection);
      // Other roots have come since it was opened.
      use(newIdentity, open(newIdentity));
      void drop(connection);
    },
    trust(newRoot) {
      trusted = newRoot;
      use(current.identity, open(current.identity));
    },
    get: (path, headers, signal) => current.connection.get(path, headers, signal),
    post: (path, headers, body) => current.connection.post(path, headers, body),
    async close(graceMs) {
      await Promise.all([...connections.keys()].map((connection) => connection.close(graceMs)));
    },
  };
}
