import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { NetworkInterfaceInfo } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configurationSchema } from '../../src/configuration/schema.ts';
import { systemPrograms } from '../../src/host/run-program.ts';
import { firewallOf } from '../../src/setup/firewall.ts';
import { networkOf } from '../../src/setup/network-of.ts';
import { dropInOf, policyRoutingOf } from '../../src/setup/policy-routing.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { namespaceFlags, whyNoNamespaces } from '../support/three-roads.ts';
import { BANK, PLANT } from './given.ts';

const SCENARIO = fileURLToPath(new URL('network-scenario.ts', import.meta.url));

test('firewall and routing, for real: which ports answer from which side, by which road a source leaves', async (context) => {
  const obstacle = (await whyNoNamespaces()) ?? (await whyNoTools());
  if (obstacle !== undefined) return context.skip(`no namespaces, nft or systemd-networkd here: ${obstacle}`);
  await using folder = await temporaryFolder();
  const { stderr } = await promisify(execFile)('unshare', [...namespaceFlags(), process.execPath, SCENARIO, join(folder.path, 'root')], { timeout: 150_000 });
  assert.equal(stderr, '');
});

async function whyNoTools(): Promise<string | undefined> {
  for (const [program, ...args] of [
    ['nft', '--version'],
    ['test', '-x', '/lib/systemd/systemd-networkd'],
  ] as const) {
    if ((await systemPrograms.run(program, args)).code !== 0) return `${[program, ...args].join(' ')} fails`;
  }
  return process.getuid?.() === 0 ? undefined : 'not root';
}

describe('the firewall', () => {
  const rulesOf = (options: object, management = {}): string[] => {
    const text = firewallOf(configurationSchema.parse({ intake: { port: 443 }, ...options }), { management });
    return text.split('\n').flatMap((line) => (/dport .*comment/.test(line) ? [line.trim()] : []));
  };

  const cases: readonly (readonly [what: string, options: object, management: object, rules: readonly string[]])[] = [
    ['no side is named', {}, {}, ['tcp dport 443 accept comment "agents"', 'tcp dport 22 accept comment "SSH"']],
    [
      'a tunnel',
      { tunnel: { enabled: true, port: 3128 } },
      {},
      ['tcp dport 443 accept comment "agents"', 'tcp dport 3128 accept comment "tunnel"', 'tcp dport 22 accept comment "SSH"'],
    ],
    [
      'syslog',
      { senders: { syslog: { enabled: true } } },
      {},
      ['tcp dport 443 accept comment "agents"', 'tcp dport 6514 accept comment "syslog"', 'tcp dport 22 accept comment "SSH"'],
    ],
    ['intake on this machine only', { intake: { address: '127.0.0.1', port: 443 } }, {}, ['tcp dport 22 accept comment "SSH"']],
    ['a port that nobody knows', { intake: { port: 0 } }, {}, ['tcp dport 22 accept comment "SSH"']],
    [
      'a management interface',
      { metrics: { address: '10.9.0.5' } },
      { interface: 'eth1' },
      [
        'iifname != "eth1" tcp dport 443 accept comment "agents"',
        'iifname "eth1" tcp dport 22 accept comment "SSH"',
        'iifname "eth1" tcp dport 9464 accept comment "metrics and health"',
        'iifname "eth1" tcp dport 9100 accept comment "exporter"',
      ],
    ],
    [
      'management networks of both families',
      { metrics: { address: '::1' } },
      { networks: ['10.9.0.0/24', 'fd00::/64'] },
      [
        'tcp dport 443 accept comment "agents"',
        'ip saddr { 10.9.0.0/24 } tcp dport 22 accept comment "SSH"',
        'ip6 saddr { fd00::/64 } tcp dport 22 accept comment "SSH"',
        'ip saddr { 10.9.0.0/24 } tcp dport 9100 accept comment "exporter"',
        'ip6 saddr { fd00::/64 } tcp dport 9100 accept comment "exporter"',
      ],
    ],
  ];
  for (const [what, options, management, rules] of cases)
    it(`opens what is used and no more: ${what}`, () => assert.deepEqual(rulesOf(options, management), rules));
});

describe('routing by source', () => {
  const address = (cidr: string): NetworkInterfaceInfo => {
    const [own = ''] = cidr.split('/');
    return { address: own, cidr, family: own.includes(':') ? 'IPv6' : 'IPv4', netmask: '', mac: '', internal: false, scopeid: 0 } as NetworkInterfaceInfo;
  };
  const interfaces = { eth0: [address('10.1.0.5/24')], er0: [address('10.2.0.2/29'), address('fd00:2::2/64'), address('fe80::1/64')] };
  const workspacesOf = (...paths: readonly object[]): Parameters<typeof policyRoutingOf>[0] =>
    configurationSchema.parse({ workspaces: paths.map((path, at) => ({ id: [BANK, PLANT][at], name: ['bank', 'plant'][at], sharedKeyFile: '/key', ...path })) })
      .workspaces;
  const SOURCE = { sourceAddress: '10.2.0.2', gateway: '10.2.0.1' };
  const ROUTE = { device: 'er0', source: '10.2.0.2', gateway: '10.2.0.1', network: '10.2.0.0/29', table: 7100 };

  const cases: readonly (readonly [what: string, workspaces: readonly object[], expected: ReturnType<typeof policyRoutingOf>])[] = [
    ['a path without a gateway needs none', [{ path: { sourceAddress: '10.2.0.2' } }], { routes: [], waiting: [] }],
    ['its interface is found by the source address', [{ path: SOURCE }], { routes: [ROUTE], waiting: [] }],
    ['its source address is found by the interface', [{ path: { interface: 'er0', gateway: '10.2.0.1' } }], { routes: [ROUTE], waiting: [] }],
    ['the same road for two workspaces and for signing in is one', [{ path: SOURCE, signInPath: SOURCE }, { path: SOURCE }], { routes: [ROUTE], waiting: [] }],
    [
      'IPv6, and not by an address of the link',
      [{ path: { interface: 'er0', gateway: 'fd00:2::1' } }],
      { routes: [{ ...ROUTE, source: 'fd00:2::2', gateway: 'fd00:2::1', network: 'fd00:2:0:0:0:0:0:0/64' }], waiting: [] },
    ],
    [
      'an interface that is not up is waited for',
      [{ path: { ...SOURCE, sourceAddress: '10.3.0.2' } }, { path: SOURCE }],
      { routes: [ROUTE], waiting: ['bank, path: no interface that is up has 10.3.0.2'] },
    ],
    [
      'one source has one gateway',
      [{ path: SOURCE }, { path: { ...SOURCE, gateway: '10.2.0.3' } }],
      { routes: [ROUTE], waiting: ['plant, path: 10.2.0.2 leaves by 10.2.0.1 already, for another path; one source has one gateway'] },
    ],
  ];
  for (const [what, workspaces, expected] of cases) it(what, () => assert.deepEqual(policyRoutingOf(workspacesOf(...workspaces), interfaces), expected));

  it('is a rule, the connected network, the gateway, and nothing when that is gone', () => {
    assert.equal(
      dropInOf([ROUTE]),
      `# Written by relay setup network from the paths in relay.yaml; what is changed here is lost.
[RoutingPolicyRule]
From=10.2.0.2/32
Table=7100
Priority=7100

[Route]
Destination=10.2.0.0/29
Scope=link
PreferredSource=10.2.0.2
Table=7100

[Route]
Destination=0.0.0.0/0
Gateway=10.2.0.1
PreferredSource=10.2.0.2
Table=7100

[Route]
Destination=0.0.0.0/0
Type=unreachable
Metric=9999
Table=7100
`,
    );
  });
});

describe('the network of an address', () => {
  for (const [cidr, network] of [
    ['10.2.0.2/24', '10.2.0.0/24'],
    ['10.2.3.130/25', '10.2.3.128/25'],
    ['10.2.3.130/32', '10.2.3.130/32'],
    ['172.31.255.1/12', '172.16.0.0/12'],
    ['fd00:2::2/64', 'fd00:2:0:0:0:0:0:0/64'],
    ['2001:db8:ff:1234:5::1/52', '2001:db8:ff:1000:0:0:0:0/52'],
  ] as const)
    it(`${cidr} → ${network}`, () => assert.equal(networkOf(cidr), network));
});
