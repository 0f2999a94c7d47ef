import type { RoadState, WorkspaceRoads } from '../workspace/road-state.ts';
import { moment } from './moments.ts';

/** What `relay status` says of a workspace's roads: a line each, and one more for the last refusal when nothing was verified since. */
export function roadLines(roads: WorkspaceRoads | undefined): string[] {
  if (!roads) return [];
  return [...linesOf('data', roads.data), ...(roads.signIn ? linesOf('sign-in', roads.signIn) : [])];
}

function linesOf(purpose: string, road: RoadState): string[] {
  const taken = road.verifiedAt === undefined ? 'not taken yet' : `${endsOf(road)}, verified ${moment(road.verifiedAt)}`;
  const line = `\n${purpose} by ${road.kind}: ${taken}${resolvedOf(road)}`;
  const { refusal } = road;
  if (!refusal || (road.verifiedAt !== undefined && road.verifiedAt > refusal.at)) return [line];
  return [line, `\nNOTHING IS SENT by this path since ${moment(refusal.at)}: ${refusal.message}`];
}

function endsOf({ sourceAddress = '', peerAddress = '', peerIs = 'public', proxy }: RoadState): string {
  return `${sourceAddress} → ${proxy === undefined ? '' : `proxy ${proxy} `}${peerAddress} (${peerIs})`;
}

function resolvedOf({ resolved, proxy }: RoadState): string {
  if (!resolved || proxy !== undefined || resolved.addresses.length === 0) return '';
  const chain = resolved.chain.length > 0 ? ` over ${resolved.chain.join(' → ')}` : '';
  return `; ${resolved.host} is ${resolved.addresses.join(', ')}${chain} (by ${resolved.by})`;
}
