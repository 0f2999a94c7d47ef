/** Run by network.test.ts in namespaces of its own: the real nft and the real systemd-networkd take what `relay setup network` gives them, and sockets and routes tell. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configurationSchema } from '../../src/configuration/schema.ts';
import { type Programs, systemPrograms } from '../../src/host/run-program.ts';
import { applyNetwork, type NetworkOutcome } from '../../src/setup/apply-network.ts';
import { machineFiles } from '../../src/setup/machine-files.ts';
import type { MachineNetwork } from '../../src/setup/machine-network.ts';
import { eventually } from '../support/eventually.ts';
import { buildThreeRoads, CIRCUIT_SOURCE, PUBLIC_ADDRESS } from '../support/three-roads.ts';
import { BANK } from './given.ts';

const PROBE = fileURLToPath(new URL('probe-ports.ts', import.meta.url));
const PORTS = { ssh: 22, intake: 443, tunnel: 8080, exporter: 9100, metrics: 9464, other: 5555 } as const;
const AGENTS = ['agents', '10.71.0.5', '10.71.0.9'] as const;
const AGENTS_BY_SIX = ['agents', 'fd00:71::5', 'fd00:71::9'] as const;
const MANAGEMENT = ['management', '10.79.0.5', '10.79.0.9'] as const;
const STRANGER = ['management', '10.79.0.5', '10.66.0.9'] as const;

type Where = readonly [namespace: string, address: string, source: string];

const [root = ''] = process.argv.slice(2);
const files = { ...machineFiles(root), networkd: '/etc/systemd/network' };
const told: string[] = [];
// networkd is started here as a process, without the bus by which networkctl would reach it.
const programs: Programs = {
  async run(program, args, options) {
    if (program !== 'networkctl') return await systemPrograms.run(program, args, options);
    told.push(args.join(' '));
    return { code: 0, out: '', err: '' };
  },
};

await buildThreeRoads();
await sides();
for (const port of Object.values(PORTS))
  createServer((socket) => socket.destroy())
    .listen(port, '::')
    .unref();

await firewallByInterface();
await firewallByNetworks();
await firewallWithoutSides();
await brokenRules();
await routing();

async function firewallByInterface(): Promise<void> {
  await load({ management: { interface: 'mgmt0' } }, { tunnel: { enabled: true } });
  await answer([AGENTS, [PORTS.intake, PORTS.tunnel]], [AGENTS_BY_SIX, [PORTS.intake, PORTS.tunnel]], [MANAGEMENT, [PORTS.ssh, PORTS.exporter, PORTS.metrics]]);
  assert.match(await shell('ip netns exec agents ping -c 1 -W 20 10.71.0.5 2>&1 || echo "no ping here"'), / 0% packet loss|no ping here/);
}

async function firewallByNetworks(): Promise<void> {
  // One network lies in the other, which a set of nft does not take by itself.
  await load({ management: { networks: ['10.79.0.0/24', '10.79.0.0/16', 'fd00:79::/64'] } });
  await answer([AGENTS, [PORTS.intake]], [MANAGEMENT, [PORTS.ssh, PORTS.intake, PORTS.exporter, PORTS.metrics]], [STRANGER, [PORTS.intake]]);
  await load({ management: { interface: 'mgmt0', networks: ['10.79.0.0/24'] } });
  await answer([STRANGER, []], [MANAGEMENT, [PORTS.ssh, PORTS.exporter, PORTS.metrics]]);
}

async function firewallWithoutSides(): Promise<void> {
  await load({ management: {} }, { metrics: { address: '127.0.0.1' } });
  await answer([AGENTS, [PORTS.ssh, PORTS.intake]]);
  const here = await shell(`${process.execPath} ${PROBE} 127.0.0.1 127.0.0.1 ${PORTS.other} ${PORTS.metrics}`);
  assert.equal(here, `[${PORTS.other},${PORTS.metrics}]`, 'the machine itself reaches everything');
}

async function brokenRules(): Promise<void> {
  const before = await shell('nft list ruleset');
  const written = await readFile(files.firewall, 'utf8');
  await assert.rejects(load({ management: { interface: 'a"b' } }), /nft -c -f - ended with 1: [\s\S]*The rules before hold on/);
  assert.equal(await shell('nft list ruleset'), before);
  assert.equal(await readFile(files.firewall, 'utf8'), written);
}

async function routing(): Promise<void> {
  await shell('nft flush ruleset', `ip rule del from ${CIRCUIT_SOURCE} lookup 100`, 'ip route flush table 100');
  await shell(
    'mount -t tmpfs tmpfs /etc/systemd/network',
    'umount -l /sys; mount -t sysfs -o ro sysfs /sys',
    'mkdir -p /run/systemd/netif /run/systemd/network',
    'chown -R systemd-network:systemd-network /run/systemd/netif',
  );
  // As netplan writes it.
  await writeFile(
    '/run/systemd/network/10-netplan-er0.network',
    `[Match]\nName=er0\n\n[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nAddress=${CIRCUIT_SOURCE}/24\n`,
  );
  const path = { kind: 'expressroute', sourceAddress: CIRCUIT_SOURCE, gateway: '10.2.0.1', peers: ['203.0.113.0/24'] };
  const outcome = await load({ management: {} }, { workspaces: [{ id: BANK, sharedKeyFile: '/key', path }] });
  assert.deepEqual(outcome.waiting, []);
  assert.match(outcome.done.join('\n'), /routing by source: from 10\.2\.0\.2 by 10\.2\.0\.1 on er0, table 7100$/m);
  assert.deepEqual(told.splice(0), ['status --json=short er0', 'reload', 'reconfigure er0']);

  const networkd = spawn('/lib/systemd/systemd-networkd', { stdio: ['ignore', 'ignore', 'pipe'], env: { SYSTEMD_LOG_TARGET: 'console' } });
  let said = '';
  networkd.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  try {
    await eventually('networkd has set up the table', async () => /unreachable/.test(await shell('ip route show table 7100 2>&1 || true')));
    assert.doesNotMatch(said, /Unknown|Failed to parse|ignoring/i);
    assert.match(await shell('ip rule'), /^7100:\s+from 10\.2\.0\.2 lookup 7100/m);
    assert.match(await shell(`ip route get ${PUBLIC_ADDRESS} from ${CIRCUIT_SOURCE}`), /via 10\.2\.0\.1 dev er0 table 7100/);
    assert.match(await shell(`ip route get ${PUBLIC_ADDRESS}`), /dev inet0/, 'everything else leaves as before');
    await shell(`ip route del default via 10.2.0.1 table 7100`);
    await assert.rejects(
      shell(`ip route get ${PUBLIC_ADDRESS} from ${CIRCUIT_SOURCE}`),
      /No route to host|unreachable/,
      'when the road is gone its source leads nowhere',
    );
  } finally {
    networkd.kill('SIGKILL');
  }
  assert.deepEqual((await load({ management: {} }, { workspaces: [] })).done, ['the firewall is loaded']);
  assert.deepEqual(told, ['reload']);
  assert.equal(await shell('find /etc/systemd/network -type f'), '', 'the drop-in goes with its path');
}

async function load(network: MachineNetwork, options: object = {}): Promise<NetworkOutcome> {
  const configuration = configurationSchema.parse({ intake: { port: PORTS.intake }, metrics: { address: '0.0.0.0' }, ...options });
  return await applyNetwork({ machine: { files, programs, own: () => Promise.resolve() }, configuration, network, interfaces: networkInterfaces() });
}

/** Exactly these ports answer, seen from each of these places. */
async function answer(...expected: readonly (readonly [where: Where, ports: readonly number[]])[]): Promise<void> {
  const all = Object.values(PORTS).join(' ');
  const found = await Promise.all(
    expected.map(
      async ([[namespace, address, source]]) =>
        JSON.parse(await shell(`ip netns exec ${namespace} ${process.execPath} ${PROBE} ${address} ${source} ${all}`)) as number[],
    ),
  );
  for (const [at, [[, address, source], ports]] of expected.entries())
    assert.deepEqual(found[at]?.toSorted(ascending), ports.toSorted(ascending), `ports that answer from ${source} at ${address}`);
}

function ascending(one: number, other: number): number {
  return one - other;
}

/** Two networks at this machine. A connection that nobody answers is given up by the kernel after one repeat. */
async function sides(): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [namespace, device, net] of [
    ['agents', 'agents0', 71],
    ['management', 'mgmt0', 79],
  ] as const) {
    await shell(
      `ip netns add ${namespace}`,
      `ip link add ${device} type veth peer name far0 netns ${namespace}`,
      `ip address add 10.${net}.0.5/24 dev ${device}`,
      `ip address add fd00:${net}::5/64 dev ${device} nodad`,
      `ip link set ${device} up`,
      `ip -n ${namespace} address add 10.${net}.0.9/24 dev far0`,
      `ip -n ${namespace} address add fd00:${net}::9/64 dev far0 nodad`,
      `ip -n ${namespace} link set far0 up`,
      `ip netns exec ${namespace} sysctl -qw net.ipv4.tcp_syn_retries=1`,
    );
  }
  await shell('ip -n management address add 10.66.0.9/24 dev far0', 'ip route add 10.66.0.0/24 dev mgmt0');
}

async function shell(...commands: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-ec', commands.join('\n')]);
  return stdout;
}
