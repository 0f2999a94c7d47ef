import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it, test } from 'node:test';
import { parse } from 'yaml';
import { messageOf } from '../../src/errors.ts';
import { changesText } from '../../src/setup/changes.ts';
import { prepare } from '../../src/setup/set-up.ts';
import { EXPORTER, type FakeMachine, fakeMachine, readyStatus } from './fake-machine.ts';
import { BANK, FULL, PLANT, PROXY_PASSWORD, SECRET, SHARED_KEY, SMALL, SSH_KEY } from './given.ts';

const CREDENTIAL = `workspace-${BANK}`;

async function configurationOf({ read, machine }: FakeMachine): Promise<Record<string, unknown>> {
  return parse((await read(machine.places.configuration)) ?? '') as Record<string, unknown>;
}

describe('the first setup', () => {
  it('writes the configuration, seals the secrets, gives the machine its name, network and time, and starts the services in their order', async () => {
    await using fake = await fakeMachine();
    const { root, machine, files, ran, owned } = fake;
    const { text, changed } = await fake.run(SMALL);
    assert.equal(changed, true);
    assert.deepEqual(await configurationOf(fake), {
      domain: 'relay-01.example.org',
      workspaces: [
        {
          id: BANK,
          protocol: 'operational-data',
          endpoint: 'https://upstream.example.org:8443',
          sharedKeyFile: join(root, 'run/credentials/relay.service', CREDENTIAL),
        },
      ],
      data: join(root, 'srv/relay/data'),
      cache: { redis: { socket: '/run/relay-redis/redis.sock' } },
      intake: { port: 443 },
      authority: { serverNames: ['10.1.0.5'] },
      managementGroup: { approve: [{ enrolmentKey: 'site' }] },
    });
    assert.deepEqual(ran, [
      'hostnamectl set-hostname relay-01.example.org',
      'netplan apply',
      'systemctl restart systemd-resolved.service',
      'chronyc reload sources',
      'systemctl daemon-reload',
      'start relay-redis.service',
      'restart relay-network.service',
      'restart relay.service',
    ]);
    assert.deepEqual(await machine.credentials.list(), ['enrolment-key-site', 'sealing-key', CREDENTIAL].toSorted());
    assert.equal((await machine.credentials.get(CREDENTIAL))?.toString(), SHARED_KEY);
    assert.equal(Buffer.from((await machine.credentials.get('sealing-key'))?.toString() ?? '', 'base64').length, 32);
    assert.equal(
      await fake.read(files.credentialsDropIn),
      `# Written by relay setup from the files in ${root}/etc/relay/credentials.\n[Service]\nLoadCredentialEncrypted=sealing-key:${root}/etc/relay/credentials/sealing-key\nLoadCredentialEncrypted=${CREDENTIAL}:${root}/etc/relay/credentials/${CREDENTIAL}\n`,
    );
    assert.deepEqual(parse((await fake.read(files.netplan)) ?? ''), {
      network: {
        version: 2,
        renderer: 'networkd',
        ethernets: { eth0: { dhcp4: false, dhcp6: false, 'accept-ra': false, addresses: ['10.1.0.5/24'], routes: [{ to: 'default', via: '10.1.0.1' }] } },
      },
    });
    assert.equal(await fake.read(files.cloudNetplan), undefined);
    assert.match((await fake.read(`${files.cloudNetplan}.before`)) ?? '', /dhcp4: true/);
    assert.match((await fake.read(files.cloudSettings)) ?? '', /preserve_hostname: true\nnetwork: \{config: disabled\}/);
    assert.match((await fake.read(files.resolver)) ?? '', /DNS=10\.1\.0\.2\nDomains=~\./);
    assert.match((await fake.read(files.timeSources)) ?? '', /^server time\.example\.org iburst$/m);
    assert.equal(await fake.read(files.authorizedKeys), `${SSH_KEY}\n`);
    assert.equal(await fake.read(files.exporter), EXPORTER);
    assert.deepEqual(
      ['/etc/relay/relay.yaml', '/home/ops/.ssh', '/home/ops/.ssh/authorized_keys', '/etc/netplan/60-relay.yaml', '/etc/relay/answers.yaml'].map((path) =>
        owned.get(path),
      ),
      ['root:relay 640', 'ops:ops 700', 'ops:ops 600', 'root:root 600', 'root:root 600'],
    );
    for (const told of [/agents {8}10\.1\.0\.5, port 443/, /root SHA-256 {2}AB:CD/, /does NOT protect a stolen or copied disk/, /enrolment-key-site -/])
      assert.match(text, told);
    assert.equal(await fake.read(files.issue), `${text}\n\n`);
  });

  it('leaves no secret anywhere in the clear: not in a file, not in an argument, not in what it tells', async () => {
    await using fake = await fakeMachine();
    await mkdir(join(fake.files.cloud, 'instances/one'), { recursive: true });
    const copy = join(fake.files.cloud, 'instances/one/user-data.txt');
    await writeFile(copy, `#cloud-config\nrelay: ${JSON.stringify(FULL)}\n`);
    const { text } = await fake.run(FULL);
    const written = [...(await fake.everything())].map(([path, content]) => `${path}: ${content}`);
    for (const secret of [SECRET, SHARED_KEY, PROXY_PASSWORD, Buffer.from('made for').toString('base64')]) {
      for (const each of [...written, ...fake.ran, text]) assert.ok(!each.includes(secret), `${secret.slice(0, 8)} in ${each.slice(0, 200)}`);
    }
    assert.match(text, /cloud-init's copies of the answers held secrets; they were struck out/);
    assert.equal(((await fake.read(copy)) ?? '').length, `#cloud-config\nrelay: ${JSON.stringify(FULL)}\n`.length);
    assert.equal((await fake.machine.credentials.get(`workspace-${PLANT}-proxy`))?.toString(), PROXY_PASSWORD);
    assert.equal(fake.keys.get('bank'), SHARED_KEY);
  });

  it('takes every answer there is to its place', async () => {
    await using fake = await fakeMachine();
    await fake.run(FULL);
    const { root, files } = fake;
    const trust = join(root, 'etc/relay/trust');
    const opened = join(root, 'run/credentials/relay.service');
    const { workspaces, tunnel, metrics, cache, domain, managementGroup, authority } = await configurationOf(fake);
    assert.deepEqual(
      { tunnel, metrics, cache, domain, managementGroup, authority },
      {
        tunnel: { enabled: true },
        metrics: { address: '10.9.0.5' },
        cache: { limit: '50GiB', redis: { socket: '/run/relay-redis/redis.sock' } },
        domain: 'relay.example.org',
        managementGroup: { approve: [{ hostName: 'web-*.bank.example.org', enrolmentKey: 'bank' }] },
        authority: undefined,
      },
    );
    const [bank] = FULL.workspaces;
    assert.deepEqual(workspaces, [
      {
        id: BANK,
        name: 'bank',
        protocol: 'logs-ingestion',
        ingestion: {
          endpoint: 'https://bank.ingest.example.org',
          ruleId: bank?.ruleId,
          signIn: {
            tenantId: 'bank.example.org',
            clientId: bank?.client,
            cloud: 'public',
            authority: 'https://login.example.org',
            secretFile: join(opened, CREDENTIAL),
            trustFile: join(trust, `${BANK}-sign-in.pem`),
          },
        },
        trustFile: join(trust, `${BANK}.pem`),
        path: bank?.path,
      },
      {
        id: PLANT,
        protocol: 'operational-data',
        endpoint: 'https://plant.example.org:8443',
        sharedKeyFile: join(opened, `workspace-${PLANT}`),
        path: {
          proxy: {
            passwordFile: join(opened, `workspace-${PLANT}-proxy`),
            trustFile: join(trust, `${PLANT}-proxy.pem`),
            host: 'proxy.example.org',
            port: 3128,
            user: 'relay',
            except: ['*.site.example.org'],
          },
          kind: 'proxy',
        },
      },
    ]);
    assert.deepEqual(parse((await fake.read(files.machineNetwork)) ?? ''), { management: { interface: 'eth1', networks: ['10.20.0.0/16', 'fd00:9::/64'] } });
    assert.equal(await fake.read(files.exporter), EXPORTER.replace('127.0.0.1', '10.9.0.5'));
    const { network } = parse((await fake.read(files.netplan)) ?? '') as { network: { ethernets: unknown } };
    assert.deepEqual(network.ethernets, {
      eth0: { dhcp4: true },
      eth1: { dhcp4: false, dhcp6: false, 'accept-ra': false, addresses: ['10.9.0.5/24'], routes: [{ to: '10.20.0.0/16', via: '10.9.0.1' }], optional: true },
    });
  });
});

describe('a further setup', () => {
  it('with the same answers changes nothing, and says so', async () => {
    await using fake = await fakeMachine();
    await fake.run(FULL);
    const [before, keys] = [await fake.everything(), new Map(fake.keys)];
    fake.ran.length = 0;
    const { changed } = await fake.run(FULL);
    assert.equal(changed, false);
    assert.deepEqual(await fake.everything(), before);
    assert.deepEqual(fake.keys, keys);
    assert.deepEqual(fake.ran, ['start relay-redis.service', 'restart relay-network.service', 'start relay.service']);
    assert.equal(
      changesText((await prepare({ from: '', prefix: '', value: FULL }, fake.parts)).plan),
      'Nothing to change: this machine is as its answers say.',
    );
  });

  it('keeps what was set by hand since, as long as the answers stay what they were', async () => {
    await using fake = await fakeMachine();
    const { machine, files } = fake;
    await fake.run(SMALL);
    const edited = ((await fake.read(machine.places.configuration)) ?? '')
      .replace('domain: relay-01.example.org', 'domain: logs.example.org # by hand')
      .replace('port: 443', 'port: 8443')
      .concat('retry:\n  every: 4m\n');
    await writeFile(machine.places.configuration, edited);
    await writeFile(files.timeSources, 'server mine\n');
    await writeFile(files.authorizedKeys, `${SSH_KEY}\nssh-ed25519 AAAA by hand\n`);
    const { changed } = await fake.run(SMALL);
    assert.equal(changed, false);
    assert.equal(await fake.read(machine.places.configuration), edited);
    assert.equal(await fake.read(files.timeSources), 'server mine\n');
    assert.equal(await fake.read(files.authorizedKeys), `${SSH_KEY}\nssh-ed25519 AAAA by hand\n`);
  });

  it('with other answers changes what they say and no more', async () => {
    await using fake = await fakeMachine();
    await fake.run({ ...SMALL, tunnel: true });
    const sealing = await fake.machine.credentials.get('sealing-key');
    const { workspace, ...rest } = SMALL;
    fake.ran.length = 0;
    const other = Buffer.alloc(64, 'z').toString('base64');
    await fake.run({
      ...rest,
      sshKeys: [],
      workspace: { ...workspace, sharedKey: other, path: { kind: 'proxy', proxy: { host: 'proxy.example.org' } }, enrolmentKey: { name: 'site' } },
    });
    const configuration = await configurationOf(fake);
    assert.deepEqual(configuration['tunnel'], {});
    assert.deepEqual(configuration['managementGroup'], { approve: 'none' });
    assert.deepEqual((configuration['workspaces'] as { path: unknown }[])[0]?.path, { kind: 'proxy', proxy: { host: 'proxy.example.org' } });
    assert.equal((await fake.machine.credentials.get(CREDENTIAL))?.toString(), other);
    assert.deepEqual(await fake.machine.credentials.get('sealing-key'), sealing);
    assert.equal(await fake.read(fake.files.authorizedKeys), '');
    assert.deepEqual(fake.ran, ['start relay-redis.service', 'restart relay-network.service', 'restart relay.service']);
    // The road goes back to what it was: the proxy is gone with its answer.
    await fake.run(SMALL);
    assert.deepEqual(((await configurationOf(fake))['workspaces'] as { path: unknown }[])[0]?.path, { proxy: {} });
  });

  it('without a secret keeps the one that is sealed; a workspace that is named no more stays, and that is said', async () => {
    await using fake = await fakeMachine();
    await fake.run(FULL);
    const { sharedKey: _, ...plant } = FULL.workspaces[1] ?? {};
    const { text } = await fake.run({ ...FULL, workspaces: [plant] });
    const { workspaces } = (await configurationOf(fake)) as { workspaces: { id: string; sharedKeyFile?: string }[] };
    assert.deepEqual(
      workspaces.map(({ id }) => id),
      [BANK, PLANT],
    );
    assert.match(workspaces[1]?.sharedKeyFile ?? '', new RegExp(`workspace-${PLANT}$`));
    assert.match(text, /The workspace bank is in the answers no more\. It stays in the configuration/);
  });

  it('puts its answers into a configuration that somebody wrote by hand, beside what is there', async () => {
    await using fake = await fakeMachine();
    const { configuration } = fake.machine.places;
    await mkdir(dirname(configuration), { recursive: true });
    await writeFile(
      configuration,
      `# the site in the north\nmanagementGroup:\n  approve: all\nauthority:\n  serverNames: [old.example.org] # kept\nworkspaces:\n  - id: ${PLANT}\n    sharedKeyFile: /keys/plant\n`,
    );
    await fake.run(SMALL);
    const text = (await fake.read(configuration)) ?? '';
    for (const kept of ['# the site in the north', 'approve: all', 'old.example.org', '/keys/plant']) assert.ok(text.includes(kept), text);
    assert.deepEqual(((await configurationOf(fake)) as { authority: unknown }).authority, { serverNames: ['old.example.org', '10.1.0.5'] });
  });
});

describe('what cannot be', () => {
  const refusals: readonly (readonly [what: string, answers: object, problem: RegExp])[] = [
    ['an interface that is not there', { ...SMALL, interface: 'ens9' }, / {2}interface: found ens9; this machine has eth0, eth1, eth2, lo/],
    ['a workspace without its key', { ...SMALL, workspace: { id: BANK } }, / {2}workspace\.sharedKey: not given; the protocol operational-data needs it/],
    [
      'signing in without an application',
      { ...SMALL, workspace: { id: BANK, endpoint: 'https://a.example.org', ruleId: `dcr-${'0'.repeat(32)}`, secret: SECRET } },
      / {2}workspace\.secret: found no tenant or no client/,
    ],
    [
      'a road that lacks what it needs',
      { ...SMALL, workspace: { ...SMALL.workspace, path: { kind: 'expressroute', gateway: '10.2.0.1' } } },
      / {2}workspace\.path\.gateway: .*\n.*| {2}workspace\.path\.peers/,
    ],
    [
      'a proxy that would not be used',
      { ...SMALL, workspace: { ...SMALL.workspace, path: { proxy: { host: 'p' } } } },
      / {2}workspace\.path\.proxy: found a proxy, but the path kind public never uses one/,
    ],
    [
      'a user without a password',
      { ...SMALL, workspace: { ...SMALL.workspace, path: { kind: 'proxy', proxy: { host: 'p', user: 'u' } } } },
      / {2}workspace\.path\.proxy\.password: missing; user and password go together/,
    ],
  ];
  for (const [what, answers, problem] of refusals) {
    it(`${what} is refused under its own name before anything is touched`, async () => {
      await using fake = await fakeMachine();
      const before = await fake.everything();
      await assert.rejects(fake.run(answers), problem);
      assert.deepEqual(await fake.everything(), before);
      assert.deepEqual(fake.ran, []);
    });
  }

  it('a network that netplan does not take is refused before anything is touched', async () => {
    await using fake = await fakeMachine();
    const before = await fake.everything();
    fake.fails.set('netplan generate', 'Error in network definition: address');
    await assert.rejects(fake.run(SMALL), /address: netplan does not take it: Error in network definition/);
    assert.deepEqual(await fake.everything(), before);
  });

  it('an answer at fault is named as it was typed, whatever place the workspace has in a file that somebody wrote', async () => {
    await using fake = await fakeMachine();
    const { configuration } = fake.machine.places;
    await mkdir(dirname(configuration), { recursive: true });
    await writeFile(configuration, `workspaces:\n  - id: ${PLANT}\n    sharedKeyFile: /keys/plant\n`);
    await assert.rejects(fake.run({ name: 'relay-01', workspace: { id: BANK } }), / {2}workspace\.sharedKey: not given/);
  });

  it('a fault in the file that was there already is told as such', async () => {
    await using fake = await fakeMachine();
    const { configuration } = fake.machine.places;
    await mkdir(dirname(configuration), { recursive: true });
    await writeFile(configuration, 'retry: {every: soon}\n');
    await assert.rejects(
      fake.run(SMALL),
      (error: Error) => error.message.startsWith(`${configuration} cannot be used`) && /retry\.every: found "soon"/.test(error.message),
    );
  });

  const FAULTS: readonly (readonly [fault: string, again: string])[] = [
    ['hostnamectl set-hostname relay-01', ''],
    ['netplan apply', 'hostnamectl set-hostname relay'],
    ['systemctl daemon-reload', 'netplan apply'],
  ];
  for (const [fault, again] of FAULTS) {
    it(`${fault} fails: files and secrets are put back, what was run is run on them again, and why is said`, async () => {
      await using fake = await fakeMachine();
      await fake.run({ name: 'relay-00', workspace: { ...SMALL.workspace, sharedKey: Buffer.alloc(64, 'o').toString('base64') } });
      const before = await fake.everything();
      fake.ran.length = 0;
      fake.fails.set(fault, 'it broke');
      const { workspace, ...rest } = SMALL;
      const answers = { ...rest, workspaces: [workspace, { id: PLANT, sharedKey: SHARED_KEY }] };
      await assert.rejects(fake.run(answers), (error: Error) => /took back what it had done/.test(error.message) && /it broke/.test(messageOf(error)));
      assert.deepEqual(await fake.everything(), before);
      const at = fake.ran.findIndex((line) => line.startsWith(fault));
      assert.ok(again === '' || fake.ran.slice(at + 1).includes(again), fake.ran.join('\n'));
      assert.ok(!fake.ran.some((line) => line.endsWith('relay.service')));
    });
  }

  it('a relay whose first start was killed is waited for: systemd starts it again', async () => {
    await using fake = await fakeMachine();
    fake.fails.set('restart relay.service', 'a fatal signal was delivered');
    assert.match((await fake.run(SMALL)).text, /is ready/);
  });

  it('a relay that systemd has given up is not waited for, and why is said', async () => {
    await using fake = await fakeMachine();
    fake.fails.set('restart relay.service', 'the configuration is wrong');
    fake.fails.set('is-failed relay.service', '');
    await assert.rejects(fake.run(SMALL), /the configuration is wrong/);
  });

  it('what is not vital and fails is told, and the setup goes on', async () => {
    await using fake = await fakeMachine();
    fake.fails.set('chronyc', '506 Cannot talk to daemon');
    const { text } = await fake.run(SMALL);
    assert.match(text, /Note: chronyc reload sources, to use the time servers, ended with 1: 506 Cannot talk to daemon\. It takes effect at the next boot\./);
  });

  it('a relay that takes no data is told after three minutes, with its own reasons; the next run finishes', async () => {
    await using fake = await fakeMachine();
    fake.status = readyStatus(['Redis cannot be reached']);
    await assert.rejects(fake.run(SMALL), /takes no data after 3 minutes: Redis cannot be reached/);
    assert.match((await fake.read(fake.machine.places.answers)) ?? '', /^finished: false$/m);
    fake.status = readyStatus();
    await fake.run(SMALL);
    assert.match((await fake.read(fake.machine.places.answers)) ?? '', /^finished: true$/m);
    assert.ok(fake.keys.has('site'));
  });

  it('a key that cannot be kept for the operator is revoked again', async () => {
    await using fake = await fakeMachine();
    fake.fails.set('systemd-creds encrypt --with-key=host --name=enrolment-key-site', 'No space left on device');
    await assert.rejects(fake.run(SMALL), /enrolment-key-site could not be encrypted/);
    assert.equal(fake.keys.has('site'), false);
  });
});

test('what would change can be seen before: lines of files, secrets by their names only', async () => {
  await using fake = await fakeMachine();
  const before = await fake.everything();
  const { plan } = await prepare({ from: '', prefix: '', value: SMALL }, fake.parts);
  const text = changesText(plan);
  assert.match(text, /^seal the secret workspace-1{8}/m);
  assert.match(text, /^ {4}\+ domain: relay-01\.example\.org$/m);
  assert.match(text, /^remove .*50-cloud-init\.yaml$/m);
  assert.match(text, /^set up the network: netplan apply$/m);
  assert.ok(!text.includes(SHARED_KEY));
  assert.deepEqual(await fake.everything(), before);
});
