/**
 * A site with three roads out, made of network namespaces: this process is the relay's machine, a router stands between it and a service that has
 * a public and a private address. To be run in network and mount namespaces of its own: everything goes with the process.
 *
 *   relay's machine ── inet0 (default route) ──────────────┐
 *                   ── er0 (by source, else unreachable) ──┤ router ── service (public and private address)
 *                   ── pl0 (to the private prefix) ────────┘
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export const PUBLIC_ADDRESS = '203.0.113.10';
export const PRIVATE_ADDRESS = '10.9.0.10';
/** The relay's own address on the circuit. */
export const CIRCUIT_SOURCE = '10.2.0.2';
const PRIVATE_PREFIX = '10.9.0.0/24';
const ROADS = { inet: 1, er: 2, pl: 3 } as const;

export type RoadName = keyof typeof ROADS;

export interface ThreeRoads {
  /** Put before a command that shall run on the service's machine. */
  readonly onService: readonly string[];
  /** Packets that left the relay's machine by each road. */
  sent(): Promise<Readonly<Record<RoadName, number>>>;
  /** Takes the carrier away, as a circuit that is down, or gives it back. */
  setCarrier(road: RoadName, state: 'up' | 'down'): Promise<void>;
  /** The router drops whatever comes by this road, without a word; the link stays up. */
  drop(road: RoadName): Promise<void>;
  letPass(road: RoadName): Promise<void>;
  /** Forgets, or knows again, that what comes from the circuit's address leaves by the circuit: without that the system takes the internet. */
  setPolicy(state: 'add' | 'del'): Promise<void>;
  /** Takes a road out of use for good: its counter stands still from then on. */
  retire(road: RoadName): Promise<void>;
}

/** Why there can be no namespaces here; undefined when there can. */
export async function whyNoNamespaces(): Promise<string | undefined> {
  try {
    await promisify(execFile)('unshare', [...namespaceFlags(), 'sh', '-ec', 'mount -t tmpfs tmpfs /run; ip netns add probe; ip netns exec probe ip link']);
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
    return (stderr || message).trim().split('\n').at(-1);
  }
}

/** For `unshare`. */
export function namespaceFlags(): string[] {
  return process.getuid?.() === 0 ? ['--net', '--mount'] : ['--net', '--mount', '--map-root-user'];
}

export async function buildThreeRoads(): Promise<ThreeRoads> {
  await shell('mount -t tmpfs tmpfs /run', 'ip link set lo up', 'ip netns add router', 'ip netns add service');
  for (const [name, number] of Object.entries(ROADS)) await addRoad(name, number);
  await addService();
  await shell(
    'ip route add default via 10.1.0.1',
    `ip rule add from ${CIRCUIT_SOURCE} lookup 100`,
    'ip route add default via 10.2.0.1 dev er0 table 100',
    // When the circuit is gone its source leads nowhere.
    'ip route add unreachable default metric 9999 table 100',
    `ip route add ${PRIVATE_PREFIX} via 10.3.0.1 dev pl0`,
  );
  return {
    onService: ['ip', 'netns', 'exec', 'service'],
    sent: async () => ({ inet: await sentBy('inet0'), er: await sentBy('er0'), pl: await sentBy('pl0') }),
    setCarrier: (road, state) => shell(`ip -n router link set ${road}1 ${state}`),
    drop: (road) => shell(`ip -n router rule add blackhole iif ${road}1`),
    letPass: (road) => shell(`ip -n router rule del blackhole iif ${road}1`),
    setPolicy: (state) => shell(`ip rule ${state} from ${CIRCUIT_SOURCE} lookup 100`),
    retire: (road) => shell(`ip link set ${road}0 down`),
  };
}

// Without IPv6 addresses a link that nobody uses stays silent: its counters stand still.
async function addRoad(name: string, number: number): Promise<void> {
  await shell(
    `ip link add ${name}0 type veth peer name ${name}1 netns router`,
    `ip link set ${name}0 addrgenmode none`,
    `ip -n router link set ${name}1 addrgenmode none`,
    `ip address add 10.${number}.0.2/24 dev ${name}0`,
    `ip -n router address add 10.${number}.0.1/24 dev ${name}1`,
    `ip link set ${name}0 up`,
    `ip -n router link set ${name}1 up`,
  );
}

async function addService(): Promise<void> {
  await shell(
    'ip -n router link add svc0 type veth peer name svc1 netns service',
    'ip -n router address add 10.8.0.1/24 dev svc0',
    'ip -n router link set svc0 up',
    'ip -n service address add 10.8.0.2/24 dev svc1',
    'ip -n service link set svc1 up',
    'ip -n service link set lo up',
    `ip -n service address add ${PUBLIC_ADDRESS}/32 dev lo`,
    `ip -n service address add ${PRIVATE_ADDRESS}/32 dev lo`,
    'ip -n service route add default via 10.8.0.1',
    `ip -n router route add ${PUBLIC_ADDRESS}/32 via 10.8.0.2`,
    `ip -n router route add ${PRIVATE_PREFIX} via 10.8.0.2`,
    "ip netns exec router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'",
  );
}

async function sentBy(device: string): Promise<number> {
  const { stdout } = await promisify(execFile)('ip', ['-s', '-j', 'link', 'show', 'dev', device]);
  const [link] = JSON.parse(stdout) as { readonly stats64: { readonly tx: { readonly packets: number } } }[];
  return link?.stats64.tx.packets ?? Number.NaN;
}

async function shell(...commands: readonly string[]): Promise<void> {
  await promisify(execFile)('sh', ['-ec', commands.join('\n')]);
}
