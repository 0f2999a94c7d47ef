/** Routing by source address, from the paths of the relay's configuration: what comes from a path's own address leaves by its gateway, or not at all. Pure. */
import { isIP } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import type { WorkspaceOptions } from '../workspace/options.ts';
import type { PathOptions } from '../workspace/path-options.ts';
import { networkOf } from './network-of.ts';

/** Tables 7100 and up, and rules of the same numbers: before the main table (32766), and nobody else's. */
const FIRST_TABLE = 7100;
/** Later than the route by the gateway, so that it holds when that one is gone. */
const LAST_METRIC = 9999;

/** A road with a routing table of its own. */
export interface SourceRoute {
  readonly device: string;
  readonly source: string;
  readonly gateway: string;
  /** The network that the source lies in, reached without the gateway. */
  readonly network: string;
  readonly table: number;
}

export interface PolicyRouting {
  readonly routes: readonly SourceRoute[];
  /** Paths that cannot be set up now, a sentence each. What was set up for them stays. */
  readonly waiting: readonly string[];
}

type Interfaces = NodeJS.Dict<Pick<NetworkInterfaceInfo, 'address' | 'cidr' | 'family'>[]>;

/** The roads that the workspaces' paths ask for: those with a gateway. The same source by the same gateway is one road. */
export function policyRoutingOf(workspaces: readonly Pick<WorkspaceOptions, 'name' | 'path' | 'signInPath'>[], interfaces: Interfaces): PolicyRouting {
  const routes: SourceRoute[] = [];
  const waiting: string[] = [];
  for (const { name, path, signInPath } of workspaces) {
    for (const [what, road] of [
      ['path', path],
      ['signInPath', signInPath],
    ] as const) {
      const found = roadsOf(road, interfaces);
      if (typeof found === 'string') waiting.push(`${name}, ${what}: ${found}`);
      for (const each of typeof found === 'string' ? [] : found) {
        const other = routes.find(({ source }) => source === each.source);
        if (other === undefined) routes.push({ ...each, table: FIRST_TABLE + routes.length });
        else if (other.gateway !== each.gateway)
          waiting.push(`${name}, ${what}: ${each.source} leaves by ${other.gateway} already, for another path; one source has one gateway`);
      }
    }
  }
  return { routes, waiting };
}

type Road = Omit<SourceRoute, 'table'>;

function roadsOf({ gateway, sourceAddress, interface: wanted }: PathOptions, interfaces: Interfaces): readonly Road[] | string {
  if (gateway === undefined) return [];
  const held = Object.entries(interfaces).flatMap(([device, addresses = []]) => addresses.map((each) => ({ device, ...each })));
  const ours = held.filter(({ device, address, cidr }) => {
    const fits = (wanted === undefined || device === wanted) && (sourceAddress === undefined || address === sourceAddress);
    return fits && cidr !== null && isIP(address) === isIP(gateway) && !/^fe80:/i.test(address);
  });
  if (ours.length > 0) return ours.map(({ device, address, cidr }) => ({ device, source: address, gateway, network: networkOf(cidr ?? '') }));
  return `no interface that is up has ${sourceAddress ?? `an address of the family of ${gateway}`}${wanted === undefined ? '' : ` on ${wanted}`}`;
}

/** The drop-in of systemd-networkd for one interface. */
export function dropInOf(routes: readonly SourceRoute[]): string {
  const sections = routes.flatMap(({ source, gateway, network, table }) => {
    const everything = isIP(source) === 6 ? '::/0' : '0.0.0.0/0';
    return [
      section('RoutingPolicyRule', { From: `${source}/${isIP(source) === 6 ? 128 : 32}`, Table: table, Priority: table }),
      section('Route', { Destination: network, Scope: 'link', PreferredSource: source, Table: table }),
      section('Route', { Destination: everything, Gateway: gateway, PreferredSource: source, Table: table }),
      // When the road is gone its source leads nowhere, and not to the main table.
      section('Route', { Destination: everything, Type: 'unreachable', Metric: LAST_METRIC, Table: table }),
    ];
  });
  return `# Written by relay setup network from the paths in relay.yaml; what is changed here is lost.\n${sections.join('\n')}`;
}

function section(name: string, values: Readonly<Record<string, string | number>>): string {
  return `[${name}]\n${Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')}`;
}
