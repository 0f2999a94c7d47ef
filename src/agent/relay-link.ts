import type { Identity } from '../authority/agent-identity.ts';
import { type Clock, every } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { type Answer, type Connection, createConnection } from './connection.ts';
import { createRelayChoice, isRelayInTrouble, type RelayChoice } from './relay-choice.ts';

// A request under way on the old certificate may end; the relay goes on accepting that for a while (§2.3).
const OLD_CONNECTION_GRACE_MS = 60_000;
/** How long an answer to what is sent may take while there is another relay to go to, in milliseconds. */
const PATIENCE_MS = 20_000;
const LOOK_EVERY_MS = 30_000;
const READY_PATH = '/health/ready';

/** The agent's way to its relays, whichever certificate it has and whichever roots it trusts at the moment. */
export interface RelayLink extends Connection {
  readonly identity: Identity;
  /** The address in use. */
  readonly relay: string;
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
  /** From now on these relays may be used, in this order. */
  use(relays: readonly string[]): void;
}

export interface RelayLinkOptions {
  /** Addresses of the relays, https, host and port; the preferred one first. */
  readonly relays: readonly [string, ...string[]];
  /** PEM of the only roots that are trusted, one or several. */
  readonly root: string;
  readonly identity: Identity;
  /** Between 0 and 1. */
  readonly chance: () => number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What a connection was made for. */
interface Made {
  readonly relay: string;
  readonly root: string;
}

/** Prepares the way to the relays; `close` ends every connection it opened. A relay that does not answer is left for the next one. */
export function createRelayLink({ identity, root, relays, chance, clock, log }: RelayLinkOptions): RelayLink {
  const choice = createRelayChoice(relays, { chance, now: clock.now });
  const connections = new Map<Connection, Made>();
  let trusted = root;
  const open = (of: Identity, by: string = trusted, relay: string = choice.current()): Connection => {
    const connection = createConnection({ relay, root: by, identity: of, patienceMs: () => (choice.all().length > 1 ? PATIENCE_MS : undefined) });
    connections.set(connection, { relay, root: by });
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
  const moved = (why: string): void => {
    use(current.identity, open(current.identity));
    log.warn({ relay: choice.current() }, `the agent goes on with another relay: ${why}`);
  };
  const over = async (send: (connection: Connection) => Promise<Answer>): Promise<Answer> => {
    const { connection } = current;
    const relay = connections.get(connection)?.relay ?? choice.current();
    return await noted(() => send(connection), relay, choice, moved);
  };
  const goBackIfReady = async (): Promise<void> => {
    const preferred = choice.toAskAgain();
    if (preferred === undefined) return;
    const candidate = open(current.identity, trusted, preferred);
    const answer = await candidate.get(READY_PATH, {}).catch(() => undefined);
    await drop(candidate);
    if (answer?.status !== 200) return;
    choice.goBack();
    moved('the preferred one is back');
  };
  let stopLooking: (() => void) | undefined;
  const lookIfSeveral = (): void => {
    if (choice.all().length > 1) stopLooking ??= every(clock, LOOK_EVERY_MS, goBackIfReady);
  };
  lookIfSeveral();
  return {
    get identity() {
      return current.identity;
    },
    get relay() {
      return choice.current();
    },
    get root() {
      return trusted;
    },
    open,
    drop: (connection) => drop(connection),
    replace(newIdentity, connection) {
      const made = connections.get(connection);
      if (made?.root === trusted && made.relay === choice.current()) return use(newIdentity, connection);
      // Other roots have come since it was opened, or it is of a relay that was left.
      use(newIdentity, open(newIdentity));
      void drop(connection);
    },
    trust(newRoot) {
      trusted = newRoot;
      use(current.identity, open(current.identity));
    },
    use(named) {
      if (choice.use(named)) moved('the one before is no relay of the group any more');
      lookIfSeveral();
    },
    get: (path, headers, signal) => over((connection) => connection.get(path, headers, signal)),
    post: (path, headers, body) => over((connection) => connection.post(path, headers, body)),
    async close(graceMs) {
      stopLooking?.();
      await Promise.all([...connections.keys()].map((connection) => connection.close(graceMs)));
    },
  };
}

async function noted(send: () => Promise<Answer>, relay: string, choice: RelayChoice, moved: (why: string) => void): Promise<Answer> {
  try {
    const answer = await send();
    if (!isRelayInTrouble(answer)) choice.answered(relay);
    else if (choice.failed(relay)) moved(`the one before answered ${answer.status}`);
    return answer;
  } catch (thrown) {
    if (choice.failed(relay)) moved('the one before does not answer');
    throw thrown;
  }
}
