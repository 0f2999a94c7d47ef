import { isIP } from 'node:net';
import { stringify } from 'yaml';
import type { Answers } from './answers.ts';

const HEAD = '# Written by relay setup from its answers.\n';

interface Ethernet {
  readonly dhcp4?: boolean;
  readonly dhcp6?: boolean;
  readonly 'accept-ra'?: boolean;
  readonly addresses?: readonly string[];
  readonly routes?: readonly { readonly to: string; readonly via: string; readonly 'on-link'?: boolean }[];
  readonly 'dhcp4-overrides'?: { readonly 'use-routes'?: boolean; readonly 'use-dns'?: boolean };
  readonly optional?: boolean;
}

/**
 * The netplan file of the machine's own network. `device`: the agents' side. Undefined where the answers name no address: what cloud-init or an operator set up
 * stays then, and only a management interface of its own is added.
 */
export function netplanOf(answers: Pick<Answers, 'address' | 'gateway' | 'management'>, device: string | undefined): string | undefined {
  const { address, gateway, management } = answers;
  const agents =
    device === undefined || address === undefined ? {} : { [device]: ethernetOf(address, gateway === undefined ? [] : [routeOf('default', gateway)]) };
  const ethernets = { ...agents, ...managementOf(management) };
  return Object.keys(ethernets).length === 0
    ? undefined
    : `${HEAD}${stringify({ network: { version: 2, renderer: 'networkd', ethernets } }, { lineWidth: 0 })}`;
}

// The default route belongs to the agents' side, and so do the names: a DHCP server of the management side must not take them over.
function managementOf({ interface: device, address, gateway, networks = [] }: Answers['management']): Record<string, Ethernet> {
  if (device === undefined || address === undefined) return {};
  const routes =
    gateway === undefined ? [] : networks.filter((network) => isIP(network.split('/')[0] ?? '') === isIP(gateway)).map((network) => routeOf(network, gateway));
  const aside: Ethernet = { 'dhcp4-overrides': { 'use-routes': false, 'use-dns': false }, optional: true };
  return { [device]: { ...ethernetOf(address, routes), ...(address === 'dhcp' ? aside : { optional: true }) } };
}

function ethernetOf(address: string, routes: NonNullable<Ethernet['routes']>): Ethernet {
  if (address === 'dhcp') return { dhcp4: true };
  return { dhcp4: false, dhcp6: false, 'accept-ra': false, addresses: [address], ...(routes.length === 0 ? {} : { routes }) };
}

function routeOf(to: string, via: string): { to: string; via: string; 'on-link'?: boolean } {
  return { to, via, ...(/^fe80:/i.test(via) ? { 'on-link': true } : {}) };
}
