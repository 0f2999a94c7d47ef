import type { DirectWay } from '../check-in/agent-configuration.ts';
import { RelayError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { WorkspaceId } from '../workspace/workspace-id.ts';
import type { DirectTokens } from './direct-tokens.ts';

/** Authorities that an agent is told for one workspace. */
const MAX_AUTHORITIES = 8;

/** How agents reach each workspace without the relay. */
export interface DirectWays {
  has(workspaceId: WorkspaceId): boolean;
  /** The way for an agent that reaches the relay under this host name; undefined when there is none. */
  wayTo(workspaceId: WorkspaceId, relayHost: string): DirectWay | undefined;
}

export interface DirectWaysParts {
  readonly workspaces: readonly WorkspaceOptions[];
  readonly tokens: Pick<DirectTokens, 'has'>;
  /** The rule that agents with tokens send to, and its streams; undefined where there is none. */
  readonly ruleOf?: ((workspace: WorkspaceOptions) => DirectWay['rule']) | undefined;
  /** Where agents reach the tunnel, if somebody said so. */
  readonly tunnelAddress: string | undefined;
  /** The tunnel's port; undefined while it is not open. */
  readonly tunnelPort: () => number | undefined;
  /** Whether the tunnel lets in agents only, and so speaks TLS. */
  readonly isTunnelForAgents?: boolean | undefined;
  readonly readFile: (path: string) => Promise<string>;
  readonly log: Logger;
}

type Tunnel = Pick<DirectWaysParts, 'tunnelAddress' | 'tunnelPort' | 'isTunnelForAgents'>;
type Proxy = (relayHost: string) => string | undefined;

/** Reads what the configuration says of direct ways. Throws `relay.routing.bad-trust-file`. A workspace whose tokens nobody gives has no direct way. */
export async function readDirectWays({ workspaces, tokens, ruleOf, readFile, log, ...tunnel }: DirectWaysParts): Promise<DirectWays> {
  const ways = new Map<WorkspaceId, { readonly way: DirectWay; readonly proxy: Proxy }>();
  for (const workspace of workspaces) {
    const { id, direct } = workspace;
    const { credential } = direct;
    if (credential === 'none') continue;
    if (credential === 'token' && !tokens.has(id)) {
      log.warn(
        { workspaceId: id },
        'the direct way of this workspace wants tokens, and nobody gives them (direct.ruleId and direct.signIn): its data goes through the relay',
      );
      continue;
    }
    const trustFile = direct.trustFile ?? workspace.trustFile;
    const trust = trustFile === undefined ? [] : await readTrust(trustFile, readFile);
    const rule = credential === 'token' ? ruleOf?.(workspace) : undefined;
    ways.set(id, { way: { endpoint: endpointOf(workspace), trust, credential, ...(rule ? { rule } : {}) }, proxy: proxyOf(direct.proxy, tunnel) });
  }
  return {
    has: (workspaceId) => ways.has(workspaceId),
    wayTo(workspaceId, relayHost) {
      const found = ways.get(workspaceId);
      const proxy = found?.proxy(relayHost);
      return found && { ...found.way, ...(proxy === undefined ? {} : { proxy }) };
    },
  };
}

function endpointOf({ id, domain, endpoint, ingestion, direct }: WorkspaceOptions): string {
  const ofRule = direct.credential === 'token' ? ingestion.endpoint : undefined;
  return direct.endpoint ?? ofRule ?? endpoint ?? `https://${id}.ods.${domain}`;
}

function proxyOf(wanted: string, { tunnelAddress, tunnelPort, isTunnelForAgents }: Tunnel): Proxy {
  if (wanted === 'none') return () => undefined;
  if (wanted !== 'tunnel') return () => wanted;
  return (relayHost) => {
    const port = tunnelPort();
    const address = tunnelAddress ?? (port === undefined ? undefined : `${relayHost}:${port}`);
    return address !== undefined && isTunnelForAgents ? `https://${address}` : address;
  };
}

async function readTrust(path: string, readFile: (path: string) => Promise<string>): Promise<readonly string[]> {
  const what = `The authorities in ${path}, by which agents verify a workspace,`;
  const text = await readFile(path).catch((cause: unknown) => {
    throw new RelayError('relay.routing.bad-trust-file', `${what} cannot be read.`, { cause });
  });
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (found.length > 0 && found.length <= MAX_AUTHORITIES) return found;
  throw new RelayError('relay.routing.bad-trust-file', `${what} must be 1 to ${MAX_AUTHORITIES} certificates in PEM; it holds ${found.length}.`);
}
