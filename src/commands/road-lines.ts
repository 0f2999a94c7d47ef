import type { RoadState, WorkspaceRoads } from '../workspace/road-state.ts';
import { moment } from './moments.ts';

/** What `relay status` says of a workspace's roads: a line each. That one was refused is told among what needs attention. */
export function roadLines(roads: WorkspaceRoads | undefined): string[] {
  if (!roads) return [];
  return [lineOf('data', roads.data), ...(roads.signIn ? [lineOf('sign-in', roads.signIn)] : [])];
}

function lineOf(purpose: string, road: RoadState): string {
  const taken = road.verifiedAt === undefined ? 'not taken yet' : `${endsOf(road)}, verified ${moment(road.verifiedAt)}`;
  return `${purpose} by ${road.kind}: ${taken}${resolvedOf(road)}`;
}

function endsOf({ sourceAddress = '', peerAddress = '', peerIs = 'public', proxy }: RoadState): string {
  return `${sourceAddress} → ${proxy === undefined ? '' : `proxy ${proxy} `}${peerAddress} (${peerIs})`;
}

function resolvedOf({ resolved, proxy }: RoadState): string {
  if (!resolved || proxy !== undefined || resolved.addresses.length === 0) return '';
  const chain = resolved.chain.length > 0 ? ` over ${resolved.chain.join(' → ')}` : '';
  return `; ${resolved.host} is ${resolved.addresses.join(', ')}${chain} (by ${resolved.by})`;
}
