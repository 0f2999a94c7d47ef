/** The machine's firewall, from the relay's configuration and the machine's network facts. Pure. */
import { isIP } from 'node:net';
import type { Configuration } from '../configuration/schema.ts';
import type { MachineNetwork } from './machine-network.ts';

const SSH_PORT = 22;
const EXPORTER_PORT = 9100;
/** Pings a second that are answered. */
const PINGS = 10;

export type Ports = Pick<Configuration, 'intake' | 'senders' | 'tunnel' | 'metrics'>;

/**
 * The rules as text for nft: all that comes in is dropped but answers, this machine's own, some ICMP, and the ports that the configuration uses. Intake, syslog and tunnel
 * answer on every interface but one that is only for management; SSH, metrics and the machine's exporter only on the management side, where one is named. What
 * goes out is not limited: the relay's own paths decide where data goes. Loaded as one transaction, in place of the table's rules before.
 */
export function firewallOf(configuration: Ports, { management }: MachineNetwork): string {
  const agents = management.interface === undefined ? '' : `iifname != "${management.interface}" `;
  const { intake, senders, tunnel, metrics } = configuration;
  const open = [
    ...portRule(agents, intake, 'agents'),
    ...(senders.syslog.enabled ? portRule(agents, senders.syslog, 'syslog') : []),
    ...(tunnel.enabled ? portRule(agents, tunnel, 'tunnel') : []),
    ...fromManagement(management).flatMap((from) => [
      ...portRule(from, { address: '::', port: SSH_PORT }, 'SSH'),
      ...portRule(from, metrics, 'metrics and health'),
    ]),
    ...(isNamed(management) ? fromManagement(management).flatMap((from) => portRule(from, { address: '::', port: EXPORTER_PORT }, 'exporter')) : []),
  ];
  return `#!/usr/sbin/nft -f
# Written by relay setup network from relay.yaml and network.yaml; what is changed here is lost.
table inet relay
delete table inet relay
table inet relay {
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ct state established,related accept
    ct state invalid drop
    # Addresses by DHCP.
    udp sport 67 udp dport 68 accept
    ip6 saddr fe80::/10 udp sport 547 udp dport 546 accept
    # Neighbours and routers of IPv6, only from the link itself; a switch that gets no answer to its queries stops passing them on.
    icmpv6 type mld-listener-query ip6 saddr fe80::/10 accept
    icmpv6 type { nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept
    icmp type echo-request limit rate ${PINGS}/second accept
    icmpv6 type echo-request limit rate ${PINGS}/second accept
${open.map((rule) => `    ${rule}`).join('\n')}
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
  }
}
`;
}

interface Listening {
  readonly address: string;
  readonly port: number;
}

// Port 0 is a free one, which nobody outside knows of; what listens on this machine only needs no rule.
function portRule(from: string, { address, port }: Listening, what: string): string[] {
  if (port === 0 || /^127\.|^::1$/.test(address)) return [];
  return [`${from}tcp dport ${port} accept comment "${what}"`];
}

function isNamed({ interface: device, networks }: MachineNetwork['management']): boolean {
  return device !== undefined || Boolean(networks?.length);
}

// A rule has networks of one family.
function fromManagement({ interface: device, networks = [] }: MachineNetwork['management']): readonly string[] {
  const on = device === undefined ? '' : `iifname "${device}" `;
  if (networks.length === 0) return [on];
  return (['ip', 'ip6'] as const).flatMap((family) => {
    const members = networks.filter((network) => (isIP(network.split('/')[0] ?? '') === 6) === (family === 'ip6'));
    return members.length === 0 ? [] : [`${on}${family} saddr { ${members.join(', ')} } `];
  });
}
