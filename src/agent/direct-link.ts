import { getCACertificates } from 'node:tls';
import { Agent, ProxyAgent } from 'undici';
import type { Identity } from '../authority/agent-identity.ts';
import type { DirectWay } from '../check-in/agent-configuration.ts';
import { messageOf, RelayError } from '../errors.ts';
import { type Connection, connectionOver, POOL } from './connection.ts';
import { postWithToken, type TokenFor } from './token-posts.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/** A request under way may end after the way or the certificate has changed. */
const OLD_CONNECTION_GRACE_MS = 60_000;

/** The agent's way to its workspace without the relay in between. */
export interface DirectLink extends Pick<Connection, 'post' | 'close'> {}

export interface DirectLinkParts {
  /** As the relay said it last; undefined when there is none. */
  readonly way: () => DirectWay | undefined;
  /** PEM of the management group's roots: a tunnel that speaks TLS is verified by them. */
  readonly roots: () => readonly string[];
  /** Who the agent is at the moment. */
  readonly identity: () => Identity;
  /** Gets tokens from the relay, for a workspace that wants them. */
  readonly tokenFor: TokenFor;
}

/** Prepares the way; nothing is sent before the first post, and each post goes by the way and the certificate of its moment. */
export function createDirectLink({ way, roots, identity, tokenFor }: DirectLinkParts): DirectLink {
  const connections = new Set<Connection>();
  let current: { readonly key: string; readonly connection: Connection } | undefined;

  const retire = (connection: Connection): void => {
    void connection.close(OLD_CONNECTION_GRACE_MS).finally(() => connections.delete(connection));
  };
  const connectionNow = (): Connection => {
    const [to, as] = [way(), identity()];
    if (!to) throw new RelayError('relay.agent.no-direct-way', 'The relay names no way straight to the workspace; what is marked direct waits in the queue.');
    const key = JSON.stringify([to, roots(), as.certificate]);
    if (current?.key === key) return current.connection;
    if (current) retire(current.connection);
    const straight = connectDirectly(to, as, roots());
    const connection = to.rule === undefined ? straight : { ...straight, post: postWithToken(straight, to.rule, tokenFor) };
    connections.add(connection);
    current = { key, connection };
    return connection;
  };
  return {
    // Async, so that having no way rejects like any other failure.
    post: async (path, headers, body) => await connectionNow().post(path, headers, body),
    async close(graceMs) {
      await Promise.all([...connections].map((connection) => connection.close(graceMs)));
    },
  };
}

// Through a proxy the agent's TLS ends at the workspace: the proxy sees host and port, and bytes.
function connectDirectly(way: DirectWay, identity: Identity, roots: readonly string[]): Connection {
  const { origin } = new URL(way.endpoint);
  const minVersion = 'TLSv1.2' as const;
  const own = { cert: identity.certificate, key: identity.privateKey, minVersion };
  // A workspace that wants tokens has no use for the agent's certificate.
  const requestTls = { ...(way.credential === 'token' ? { minVersion } : own), ca: authoritiesOf(way), timeout: CONNECT_TIMEOUT_MS };
  const pool =
    way.proxy === undefined
      ? new Agent({ ...POOL, connect: requestTls })
      : new ProxyAgent({
          ...POOL,
          uri: way.proxy.startsWith('https://') ? way.proxy : `http://${way.proxy}`,
          proxyTunnel: true,
          proxyTls: { ...own, ca: [...roots] },
          requestTls,
          connectTimeout: CONNECT_TIMEOUT_MS,
        });
  return connectionOver(pool, origin, (cause) => unreachable(origin, way.proxy, cause));
}

// A site that looks into TLS has its own authority in the operating system's store; Node's list alone would not know it.
function authoritiesOf({ trust }: DirectWay): string[] {
  return trust.length > 0 ? [...trust] : [...new Set([...getCACertificates('bundled'), ...getCACertificates('system')])];
}

function unreachable(origin: string, proxy: string | undefined, cause: unknown): RelayError {
  const through = proxy === undefined ? '' : ` through the proxy ${proxy}`;
  const advice = /certificate|altname/i.test(messageOf(cause))
    ? "Its certificate is not one the relay's direct way vouches for; give the workspace's root as direct.trustFile."
    : 'Check the address, the network, and what the proxy lets through.';
  return new RelayError('relay.agent.workspace-unreachable', `The workspace at ${origin} did not answer${through}. ${advice}`, { cause });
}
