/**
 * What a machine is told at its first boot. Everything but the name may be left out; what is not said is not touched. Whether the answers make a
 * working configuration is not judged here but by the configuration's own schema (`draft.ts`), so that no rule is written twice.
 */
import { BlockList, isIP } from 'node:net';
import { address, domain, flag, host, list, size } from '../option-kinds.ts';
import { check, optional, required, type Schema, section, sections } from '../options.ts';
import { ipAddress, prefix } from '../workspace/path-options.ts';
import { isAddressWithLength, link, machineName, ownAddress, sshKey } from './answer-kinds.ts';
import { type Perhaps, type WorkspaceAnswers, workspaceAnswers } from './workspace-answers.ts';

export interface Answers {
  /** Host name of the machine. A full name is its agents' domain as well, unless `domain` says another. */
  readonly name: string;
  readonly domain?: string | undefined;
  /** The interface of the agents' side; the first one unless given. */
  readonly interface?: string | undefined;
  /** `dhcp` or `10.1.0.5/24`. Left out, the machine's network stays as it is. */
  readonly address?: string | undefined;
  readonly gateway?: string | undefined;
  readonly dns?: readonly string[] | undefined;
  readonly ntp?: readonly string[] | undefined;
  readonly management: ManagementAnswers;
  readonly workspaces: readonly WorkspaceAnswers[];
  readonly sshKeys?: readonly string[] | undefined;
  readonly tunnel?: boolean | undefined;
  readonly metrics: { readonly address?: string | undefined };
  /** Bytes. */
  readonly cacheLimit?: number | undefined;
}

/** The side that operators and Prometheus come from. With an interface of its own, or by where they come from. */
export interface ManagementAnswers extends Perhaps<{ interface: string; address: string; gateway: string; networks: readonly string[] }> {}

const management: Schema<ManagementAnswers> = section<ManagementAnswers>({
  interface: optional(link, 'none', 'Interface that only operators and Prometheus use.'),
  address: optional(ownAddress, 'none', 'Its address.'),
  gateway: optional(ipAddress, 'none', 'Next hop to the management networks, on that interface.'),
  networks: optional(list(prefix), 'any', 'Networks that operators and Prometheus come from; nobody else reaches SSH and metrics.'),
});

const fields: Schema<Answers> = section<Answers>({
  name: required(machineName, 'Host name of this machine; a full name is what agents reach it by, too.'),
  domain: optional(domain, 'the name, if it is a full one, else relay.local', "The relay's own DNS domain: agents reach it at <workspace>.oms.<domain>."),
  interface: optional(link, 'the first one', "The agents' side."),
  address: optional(ownAddress, 'as the machine has it', 'Address of this machine: dhcp, or such as 10.1.0.5/24.'),
  gateway: optional(ipAddress, 'none', 'Default gateway; with an address that is not dhcp.'),
  dns: optional(list(ipAddress), "the network's", 'Name servers.'),
  ntp: optional(list(host), "Debian's", 'Time servers.'),
  management,
  workspaces: sections(workspaceAnswers),
  sshKeys: optional(list(sshKey), 'none', 'Public keys of the administrator ops.'),
  tunnel: optional(flag, 'false', 'Whether the tunnel for agents without a way out is open.'),
  metrics: section<Answers['metrics']>({
    address: optional(address, 'the management address, else 127.0.0.1', 'Where metrics and health are served.'),
  }),
  cacheLimit: optional(size({ from: '64KiB', to: '1PiB' }), '80 % of the free disk', 'What may wait on disk, such as 50GiB.'),
});

/** The schema of the answers. Reading a value gives `Answers`, or every problem it has. */
export const answersSchema: Schema<Answers> = [
  {
    at: ['gateway'],
    isGood: (found: Answers) => found.gateway === undefined || isStatic(found.address),
    problem: () => 'found, but it acts only with an address such as 10.1.0.5/24; leave it out, or give the address',
  },
  {
    at: ['gateway'],
    isGood: (found: Answers) => !isStatic(found.address) || isReached(found.gateway, found.address),
    problem: (found: Answers) => `found ${found.gateway}; an address in the network of ${found.address}, and not that address itself`,
  },
  {
    at: ['management', 'interface'],
    isGood: ({ management: side, interface: agents }: Answers) => agents === undefined || side?.interface !== agents,
    problem: () => "found the agents' interface; another one, or name only management.networks",
  },
  {
    at: ['management', 'interface'],
    isGood: ({ management: side }: Answers) => side?.interface !== undefined || (side?.address === undefined && side?.gateway === undefined),
    problem: () => 'missing; management.address and management.gateway are for an interface of its own',
  },
  {
    at: ['management', 'gateway'],
    isGood: ({ management: side }: Answers) => side?.gateway === undefined || (isStatic(side.address) && Boolean(side.networks?.length)),
    problem: () => 'found, but it acts only with management.address such as 10.9.0.5/24 and with management.networks',
  },
  {
    at: ['management', 'gateway'],
    isGood: ({ management: side }: Answers) => !isStatic(side?.address) || isReached(side?.gateway, side?.address),
    problem: ({ management: side }: Answers) => `found ${side.gateway}; an address in the network of ${side.address}, and not that address itself`,
  },
  {
    at: ['workspaces'],
    isGood: ({ workspaces }: Answers) => doubled(workspaces, (each) => each?.enrolmentKey?.name) === undefined,
    problem: ({ workspaces }: Answers) =>
      `found the enrolment key ${doubled(workspaces, (each) => each.enrolmentKey.name)} more than once; each has a name of its own`,
  },
].reduce<Schema<Answers>>(check, fields);

function isStatic(found: unknown): found is string {
  return typeof found === 'string' && found !== 'dhcp' && isAddressWithLength(found);
}

// What could not be read, or was not given, is told elsewhere.
function isReached(gateway: unknown, own: string | undefined): boolean {
  const [start = '', length] = own?.split('/') ?? [];
  if (typeof gateway !== 'string' || isIP(gateway) === 0) return true;
  if (isIP(gateway) !== isIP(start) || gateway === start) return false;
  const family = isIP(start) === 4 ? 'ipv4' : 'ipv6';
  const network = new BlockList();
  network.addSubnet(start, Number(length), family);
  // A router of IPv6 is often known by its link's own address.
  return network.check(gateway, family) || /^fe80:/i.test(gateway);
}

function doubled(items: unknown, nameOf: (item: WorkspaceAnswers) => string | undefined): string | undefined {
  const names = Array.isArray(items) ? items.map(nameOf).filter((name) => typeof name === 'string') : [];
  return names.find((name, at) => names.indexOf(name) < at);
}
