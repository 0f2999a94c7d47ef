/** The rules of the roads: pure. What they do not allow is not connected to. */
import type { PathOptions } from '../../workspace/path-options.ts';
import type { ResolvedHost, RoadRefusalReason } from '../../workspace/road-state.ts';
import { isPrivate, plainAddress, prefixes } from './addresses.ts';

export type Judgement = { readonly allowed: true } | { readonly allowed: false; readonly reason: RoadRefusalReason; readonly message: string };

/** A connection that stands, before a byte was sent. */
export interface Ends {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

const ALLOWED: Judgement = { allowed: true };

/** Whether a name that led to these addresses may be connected to: one address too many is enough for no. */
export function judgeAddresses({ kind, peers }: Pick<PathOptions, 'kind' | 'peers'>, resolved: ResolvedHost): Judgement {
  if (kind !== 'expressroute' && kind !== 'private-link') return ALLOWED;
  const isPeer = prefixes(peers);
  const isGood = kind === 'expressroute' ? isPeer : (address: string) => isPrivate(address) || isPeer(address);
  const bad = resolved.addresses.filter((address) => !isGood(address));
  if (bad.length === 0) return ALLOWED;
  const found = `${resolved.host} leads to ${bad.join(', ')} (${origin(resolved)})`;
  return kind === 'expressroute'
    ? refused('not-a-peer', `${found}, outside the path's peers ${peers.join(', ')}. Nothing is sent; check the name, or add the prefix to peers.`)
    : refused(
        'not-private',
        `${found}, not a private address. Nothing is sent; check the name servers and the private DNS zone, or add the prefix to the path's peers.`,
      );
}

/** Whether a socket's ends are the ones that were decided on. */
export function judgeEnds({ localAddress = '', remoteAddress = '' }: Ends, wanted: { addresses: readonly string[]; source: string | undefined }): Judgement {
  const [local, remote] = [plainAddress(localAddress), plainAddress(remoteAddress)];
  if (!wanted.addresses.map(plainAddress).includes(remote))
    return refused(
      'other-peer',
      `The connection stands to ${remote || 'nobody'} instead of ${wanted.addresses.join(', ')}. It was ended before a byte was sent.`,
    );
  if (wanted.source !== undefined && local !== plainAddress(wanted.source))
    return refused('other-source', `The connection comes from ${local || 'nowhere'} instead of ${wanted.source}. It was ended before a byte was sent.`);
  return ALLOWED;
}

/** Whether a host is reached without the proxy: a name, `*.suffix`, or a prefix that holds the host's address. */
export function isExcepted(host: string, except: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return except.some((entry) => {
    const pattern = entry.toLowerCase();
    if (isPrefix(pattern)) return prefixes([pattern])(name);
    return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) && name.length >= pattern.length : name === pattern;
  });
}

/** How it came to a name's addresses, in words. */
function origin({ by, chain }: ResolvedHost): string {
  return [`by ${by}`, ...(chain.length > 0 ? [`over ${chain.join(' → ')}`] : [])].join(', ');
}

function isPrefix(text: string): boolean {
  return /^[\d.]+(\/\d+)?$/.test(text) || text.includes(':');
}

function refused(reason: RoadRefusalReason, message: string): Judgement {
  return { allowed: false, reason, message };
}
