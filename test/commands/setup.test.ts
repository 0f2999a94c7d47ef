import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Output } from '../../src/commands/output.ts';
import { setupCommand } from '../../src/commands/setup.ts';
import type { SetupParts } from '../../src/commands/setup-context.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { type Programs, systemPrograms } from '../../src/host/run-program.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { isSealed } from '../../src/own-secrets.ts';
import { type FakeMachine, fakeMachine } from '../setup/fake-machine.ts';
import { SMALL } from '../setup/given.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, enrolMachine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { type Running, runCommand, startCommand } from '../support/run-relay.ts';
import { BANK, startUpstream } from '../support/site.ts';

interface Appliance extends AsyncDisposable {
  readonly fake: FakeMachine;
  /** What a command printed. Throws what it throws. */
  run(args: readonly string[], parts?: SetupParts): Promise<string>;
  /** What was written to the console. */
  console(): Promise<string>;
}

/** A fake machine whose relay.service is a real relay: systemctl starts it with its credentials opened, as systemd would. */
async function startAppliance(): Promise<Appliance> {
  const fake = await fakeMachine();
  const { root, machine, files } = fake;
  let relay: Running | undefined;
  const programs: Programs = {
    async run(program, args, options) {
      const [verb, unit] = args;
      if (program !== 'systemctl' || unit !== 'relay.service') return await machine.programs.run(program, args, options);
      if (relay !== undefined && verb === 'restart') await relay.end('SIGTERM');
      if (relay === undefined || verb === 'restart')
        relay = startCommand(['start', '--config', machine.places.configuration], ['env', `CREDENTIALS_DIRECTORY=${await openCredentials(fake)}`]);
      return { code: 0, out: '', err: '' };
    },
  };
  await mkdir(dirname(files.console), { recursive: true });
  await mkdir(dirname(machine.places.problem), { recursive: true });
  return {
    fake,
    async run(args, parts = {}) {
      const lines: string[] = [];
      const output: Output = { json: false, line: (text) => void lines.push(text) };
      const own = machine.own;
      const { look = {} } = fake.parts;
      await setupCommand({}, { root, programs, own, output, look, isRoot: () => true, isTerminal: () => false, ...parts }).parseAsync(args, { from: 'user' });
      return lines.join('\n');
    },
    console: async () => (await fake.read(files.console)) ?? '',
    async [Symbol.asyncDispose]() {
      await relay?.end('SIGKILL');
      await fake[Symbol.asyncDispose]();
    },
  };
}

// By the lines of the drop-in, each under its own name.
async function openCredentials({ read, files, machine }: FakeMachine): Promise<string> {
  const folder = machine.places.openedCredentials;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const [, name = ''] of ((await read(files.credentialsDropIn)) ?? '').matchAll(/^LoadCredentialEncrypted=([^:]+):/gm))
    await writeFile(join(folder, name), (await machine.credentials.get(name)) ?? '', { mode: 0o600 });
  return folder;
}

async function markAppliance({ machine: { places } }: FakeMachine): Promise<void> {
  await mkdir(dirname(places.marker), { recursive: true });
  await writeFile(places.marker, '');
}

suite('relay setup', () => {
  test('from answers in cloud-init to a relay that takes data: an agent enrols with the sealed key, and its batch arrives', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    const { machine, files, root } = fake;
    await markAppliance(fake);
    const redis = await startRedisServer(join(root, 'redis'));
    await using parts = new AsyncDisposableStack();
    parts.defer(() => redis.stop('SIGKILL'));
    const upstream = parts.use(await startUpstream(root, BANK));
    const { endpoint, sharedKeyFile, trustFile } = upstream.option as Record<string, string>;
    // What only a test machine has, set by hand before: it stays.
    const byHand = { cache: { redis: { socket: redis.socket } }, intake: { address: '127.0.0.1', port: 0 }, metrics: { port: 0 } };
    await writeFile(machine.places.configuration, JSON.stringify(byHand));
    const answers = {
      name: 'relay-01.example.org',
      workspace: {
        id: BANK,
        endpoint,
        sharedKey: await readFile(sharedKeyFile ?? '', 'utf8'),
        trust: await readFile(trustFile ?? '', 'utf8'),
        enrolmentKey: { name: 'site', approve: 'all' },
      },
    };
    await mkdir(dirname(files.userData), { recursive: true });
    await writeFile(files.userData, `#cloud-config\nrelay: ${JSON.stringify(answers)}\n`);

    const told = await run(['--first-boot']);
    const port = Number(/port (\d+)/.exec(told)?.[1]);
    assert.match(told, /^Relay \d+\.\d+\.\d+ on relay-01\.example\.org is ready\.$/m);
    assert.match(told, /root SHA-256 {2}[0-9A-Fa-f:]{64,}/);
    assert.ok((await appliance.console()).includes(told), 'the console tells the same');
    assert.ok(!(await readFile(files.userData, 'utf8')).includes(answers.workspace.sharedKey), "cloud-init's copy holds no secret any more");

    const target = { port, rootPem: await readFile(join(machine.places.state, 'authority/root.pem'), 'utf8') };
    const key = (await machine.credentials.get('enrolment-key-site'))?.toString() ?? '';
    const agent = await enrolMachine(target, BANK, key);
    parts.defer(() => agent.close());
    assert.equal((await agent.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(agent.agentId, 1).body)).status, 200);
    await eventually('the batch arrives', () => upstream.local.batchIds(BANK).length === 1);
    const rootFiles = [...(await fake.everything())].filter(([path]) => /\/authority\/.*(json|key)/.test(path));
    assert.ok(
      rootFiles.some(([, text]) => isSealed(Buffer.from(text))),
      'what the relay keeps for itself is sealed under the machine’s key',
    );

    assert.match(await run(['banner']), /^Relay \S+ on \S+: ready, running for .*\n[\s\S]*1 approved, 0 pending[\s\S]*root SHA-256/);
    assert.equal(await run(['--first-boot']), 'This appliance is set up.');
    assert.match(await run([]), /^Nothing was to be changed\.\nRelay /);
    assert.equal(await run(['--check']), 'Nothing to change: this machine is as its answers say.');
    assert.equal((await agent.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(agent.agentId, 2).body)).status, 200, 'the relay that ran goes on');
  });

  test('a disk with answers that is still there at the next boot: the secrets are struck out of the new copies', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await markAppliance(fake);
    await fake.run(SMALL);
    await mkdir(dirname(fake.files.userData), { recursive: true });
    await writeFile(fake.files.userData, `#cloud-config\nrelay: ${JSON.stringify(SMALL)}\n`);
    assert.match(await run(['--first-boot']), /Secrets in cloud-init's copies of the answers were struck out/);
    assert.ok(!(await readFile(fake.files.userData, 'utf8')).includes(SMALL.workspace.sharedKey ?? '-'));
    assert.equal(await run(['--first-boot']), 'This appliance is set up.');
  });

  test('--check shows what would change and changes nothing', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await markAppliance(fake);
    const file = join(fake.root, 'answers.yaml');
    await writeFile(file, JSON.stringify(SMALL));
    const before = await fake.everything();
    const told = await run(['--check', '--answers', file]);
    assert.match(told, /^seal the secret sealing-key[\s\S]*^make .*relay\.yaml$[\s\S]*^set up the network: netplan apply$/m);
    assert.deepEqual(await fake.everything(), before);
    assert.equal(await appliance.console(), '');
  });

  test('wrong answers are told on the console, where nobody can sign in yet, each on a line of its own', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await markAppliance(fake);
    const file = join(fake.root, 'answers.yaml');
    await writeFile(file, JSON.stringify({ relay: { name: 'a b', dns: ['x'] } }));
    await assert.rejects(run(['--answers', file]), { code: 'relay.setup.bad-answers' });
    assert.match(await appliance.console(), /2 problems; nothing was changed:\n {2}relay\.name: .*\n {2}relay\.dns\[0\]: /);
  });

  test('begun and not finished, the next boot goes on with what was answered, and asks nobody', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await markAppliance(fake);
    fake.fails.set('restart relay-network.service', 'nft was in the way');
    await assert.rejects(fake.run({ name: 'relay-01' }), /nft was in the way/);
    assert.equal(await run(['--first-boot', '--check']), 'Nothing to change: this machine is as its answers say.');
  });

  test('without answers and without a terminal it says where they are looked for; without root, or on no appliance, it does nothing', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await assert.rejects(run([]), /is no appliance/);
    await markAppliance(fake);
    await assert.rejects(run([]), /There are no answers: .*relay setup --answers <file>/);
    await assert.rejects(run([], { isRoot: () => false }), /sudo relay setup/);
  });

  test('a dialogue that was left changes nothing', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await markAppliance(fake);
    const dialogue = { ask: () => Promise.resolve({ kind: 'left' } as const), tell: () => Promise.resolve() };
    await assert.rejects(run([], { isTerminal: () => true, dialogue }), /Setup was left\. Nothing was changed/);
    assert.deepEqual(
      fake.ran.filter((line) => !/^(vmtoolsd|mount|umount) /.test(line)),
      [],
    );
  });

  test('why the relay did not start is said on the console and kept for the banner', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await fake.run(SMALL);
    await writeFile(fake.machine.places.configuration, 'retry: {every: soon}\n');
    const told = await run(['problem']);
    assert.match(told, /^The relay did not start: /);
    assert.ok((await appliance.console()).includes(told));
    assert.equal(await run(['banner']), told);
  });

  test('network sets up the firewall from relay.yaml, and says which path waits for its interface', async () => {
    await using appliance = await startAppliance();
    const { fake, run } = appliance;
    await fake.run({
      ...SMALL,
      management: { networks: ['10.9.0.0/16'] },
      workspace: { ...SMALL.workspace, path: { sourceAddress: '192.0.2.77', gateway: '192.0.2.1' } },
    });
    const told = await run(['network']);
    assert.match(told, /^the firewall is loaded\nwaiting: .*no interface that is up has 192\.0\.2\.77$/);
    assert.match((await fake.read(fake.files.firewall)) ?? '', /ip saddr \{ 10\.9\.0\.0\/16 \} tcp dport 22 accept/);
    assert.deepEqual(
      fake.ran.filter((line) => line.startsWith('nft')),
      ['nft -c -f -', 'nft -f -'],
    );
  });

  test('the banner of a machine without a relay is there, by the command and by the small program that the login runs', async () => {
    const { code, out } = await runCommand(['setup', 'banner']);
    assert.equal(code, 0);
    assert.match(out, /not set up yet|DOES NOT ANSWER|Relay /);
    const small = await systemPrograms.run(process.execPath, [fileURLToPath(new URL('../../src/commands/show-banner.ts', import.meta.url))]);
    assert.deepEqual(small, { code: 0, out, err: '' });
  });
});
