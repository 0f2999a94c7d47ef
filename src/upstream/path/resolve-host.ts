/** From a host's name to its addresses: those that are pinned, those of the name servers given, or the system's. */
import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { RelayError } from '../../errors.ts';
import type { ResolvedHost } from '../../workspace/road-state.ts';

const QUERY_TIMEOUT_MS = 2_000;
const QUERY_TRIES = 2;
const MAX_CHAIN = 8;

export interface ResolveSettings {
  /** Asked in place of the system's when there are some. */
  readonly nameServers: readonly string[];
  /** In place of asking at all. */
  readonly addresses: readonly string[];
  /** Whether the names on the way are asked for. */
  readonly showsChain: boolean;
}

export type ResolveHost = (host: string) => Promise<ResolvedHost>;

/** Rejects with the reason when a name has no address. */
export function createResolveHost({ nameServers, addresses, showsChain }: ResolveSettings): ResolveHost {
  const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  if (nameServers.length > 0) resolver.setServers(nameServers);
  const byOwnServers = (host: string): Promise<string[]> => askServers(resolver, host, nameServers.join(', '));
  const bySystem = async (host: string): Promise<string[]> => (await lookup(host, { all: true })).map(({ address }) => address);
  const addressesOf = nameServers.length > 0 ? byOwnServers : bySystem;

  return async (host) => {
    if (addresses.length > 0) return { host, addresses, chain: [], by: 'configuration' };
    if (isIP(host) !== 0) return { host, addresses: [host], chain: [], by: 'literal' };
    const [found, chain] = await Promise.all([addressesOf(host), showsChain ? chainOf(resolver, host) : []]);
    return { host, addresses: found, chain, by: nameServers.length > 0 ? `name server ${nameServers.join(', ')}` : 'system' };
  };
}

// One family is enough: what is not known is not connected to.
async function askServers(resolver: Resolver, host: string, servers: string): Promise<string[]> {
  const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length > 0) return found;
  const codes = answers.flatMap((answer) => (answer.status === 'rejected' ? [(answer.reason as NodeJS.ErrnoException).code ?? 'no answer'] : []));
  const why = [...new Set(codes)].join(', ') || 'no address';
  throw new RelayError(
    'relay.path.unresolved',
    `The name servers ${servers} gave no address for ${host} (${why}). Check that they can be reached and know the name.`,
  );
}

// Only for people to see: what cannot be asked is left out.
async function chainOf(resolver: Resolver, host: string): Promise<string[]> {
  const chain: string[] = [];
  try {
    while (chain.length < MAX_CHAIN) {
      const [next] = await resolver.resolveCname(chain.at(-1) ?? host);
      if (next === undefined || chain.includes(next)) break;
      chain.push(next);
    }
  } catch {
    // The last name has no other one behind it, or nobody answered.
  }
  return chain;
}
