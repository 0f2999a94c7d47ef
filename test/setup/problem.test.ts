import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import { openCredentialStore } from '../../src/host/credentials.ts';
import { appliancePlaces } from '../../src/host/places.ts';
import { type Programs, systemPrograms } from '../../src/host/run-program.ts';
import { gatherProblem } from '../../src/setup/gather-problem.ts';
import { problemOf, problemText, type StartFacts } from '../../src/setup/problem.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const WELL: StartFacts = {
  isDataMounted: true,
  isRedisActive: true,
  hasTpm: true,
  exitStatus: 1,
  unopened: [],
  hasSealingKey: true,
  configuration: undefined,
  lines: ['starting', 'the last word'],
};
const UNOPENED = [{ name: 'sealing-key', said: 'Failed to unseal secret using TPM2', isByHostAlone: false }];

const CASES: readonly (readonly [what: string, facts: Partial<StartFacts>, told: RegExp, next: RegExp])[] = [
  [
    'the data partition is not there',
    { isDataMounted: false, configuration: 'wrong' },
    /data partition \(\/srv\/relay\) is not mounted/,
    /Check that the disk is attached/,
  ],
  [
    'the TPM is gone',
    { unopened: UNOPENED, hasTpm: false, exitStatus: 243 },
    /sealed to this machine's TPM 2, and there is none now/,
    /Give the virtual machine its TPM back[\s\S]*relay restore/,
  ],
  [
    'no TPM was there, and the key on the disk is another one',
    { unopened: [{ name: 'sealing-key', said: 'Bad message', isByHostAlone: true }], hasTpm: false, exitStatus: 243 },
    /credential\.secret is another one, or gone/,
    /relay restore/,
  ],
  [
    'it is another TPM',
    { unopened: UNOPENED, exitStatus: 243 },
    /sealed to another TPM 2 than this machine has now/,
    /on the machine that it belongs to[\s\S]*relay restore/,
  ],
  ['the sealing key was never made, or is lost', { hasSealingKey: false }, /its sealing key is not in the credential store/, /relay restore[\s\S]*relay setup/],
  ['systemd could not hand over credentials for another reason', { exitStatus: 243 }, /systemd could not give it its credentials/, /relay setup/],
  [
    'the configuration is wrong',
    { configuration: '/etc/relay/relay.yaml cannot be used:\n  retry.every: found "soon"' },
    /its configuration is wrong\.\n {2}\| .*\n {2}\| .*retry\.every/,
    /relay config check/,
  ],
  ['Redis is down', { isRedisActive: false }, /Redis is not running/, /journalctl --unit relay-redis/],
  [
    'what it keeps is of another machine',
    { lines: ['/srv/relay/data/keys/cache.json is sealed and cannot be opened: …'] },
    /sealed under another key than this machine's/,
    /relay restore/,
  ],
  ['a port is taken', { lines: ['listen EADDRINUSE: address already in use 0.0.0.0:443'] }, /another program has the port[\s\S]*0\.0\.0\.0:443/, /ss -ltnp/],
  ['a disk is full', { lines: ['write ENOSPC'] }, /a disk is full/, /df -h/],
  ['nobody knows why', {}, /did not start, or ended\.[\s\S]*\| the last word/, /relay doctor/],
];

describe('why the relay did not start', () => {
  for (const [what, facts, told, next] of CASES) {
    it(`${what}: said, with what to do`, () => {
      const text = problemText(problemOf({ ...WELL, ...facts }));
      assert.match(text, told);
      assert.match(text, next);
    });
  }

  it('nothing that a log holds reaches a terminal as a command', () => {
    assert.ok(!problemText(problemOf({ ...WELL, lines: ['\u001b[2J gone'] })).includes('\u001b'));
  });
});

test('the cause is looked for on the machine: credentials that do not open, mounts, units, and the message of JSON lines', async () => {
  await using folder = await temporaryFolder();
  const places = appliancePlaces(folder.path);
  await mkdir(places.credentials, { recursive: true });
  for (const name of ['sealing-key', 'workspace-x']) await writeFile(join(places.credentials, name), 'sealed');
  await writeFile(places.configuration, 'retry: {every: soon}\n');
  const mounts = join(folder.path, 'mountinfo');
  await writeFile(mounts, `24 1 254:1 / ${places.data} rw - ext4 /dev/mapper/relay-data rw\n`);
  const programs: Programs = {
    run: (program, args) => {
      if (program === 'systemctl') return Promise.resolve({ code: 0, out: '243\n', err: '' });
      if (args[0] === 'has-tpm2') return Promise.resolve({ code: 1, out: '', err: '' });
      return Promise.resolve(
        args[1] === '--name=sealing-key' ? { code: 1, out: '', err: 'first line\nNo TPM2 device found.\n' } : { code: 0, out: 'opened', err: '' },
      );
    },
  };
  const services = { isActive: () => Promise.resolve(false), lastLines: () => Promise.resolve('{"level":60,"msg":"it broke"}\nplain') };
  const facts = await gatherProblem({ places, programs, services, mounts });
  const { configuration, ...others } = facts;
  assert.match(configuration ?? '', /retry\.every: found "soon"/);
  assert.deepEqual(others, {
    isDataMounted: true,
    isRedisActive: false,
    hasTpm: false,
    exitStatus: 243,
    unopened: [{ name: 'sealing-key', said: 'No TPM2 device found.', isByHostAlone: false }],
    hasSealingKey: true,
    lines: ['it broke', 'plain'],
  });
});

test('where no program answers, nothing is made up and nothing fails', async () => {
  await using folder = await temporaryFolder();
  const programs: Programs = { run: () => Promise.resolve({ code: 127, out: '', err: '' }) };
  const services = { isActive: () => Promise.resolve(true), lastLines: () => Promise.resolve('') };
  const facts = await gatherProblem({ places: appliancePlaces(folder.path), programs, services, mounts: join(folder.path, 'none') });
  assert.match(problemText(problemOf(facts)), /sealing key is not in the credential store/);
});

test('the real systemd-creds: what is sealed opens here; changed, or under another name, it is told as sealed elsewhere', async (context) => {
  const { code } = await systemPrograms.run('systemd-creds', ['--version']);
  if (code !== 0) return context.skip('systemd-creds is not installed here');
  await using folder = await temporaryFolder();
  // A key of this test's own: the machine's is left alone.
  const programs: Programs = {
    run: (program, args, options) =>
      program === 'systemd-creds'
        ? systemPrograms.run('env', [`SYSTEMD_CREDENTIAL_SECRET=${join(folder.path, 'host.secret')}`, program, ...args], options)
        : Promise.resolve({ code: 127, out: '', err: '' }),
  };
  const places = appliancePlaces(folder.path);
  assert.equal((await programs.run('systemd-creds', ['setup'])).code, 0);
  const store = await openCredentialStore(places.credentials, programs);
  await store.put('sealing-key', 'a secret');
  await store.put('workspace-x', 'another secret');
  assert.equal((await store.get('sealing-key'))?.toString(), 'a secret');
  const services = { isActive: () => Promise.resolve(true), lastLines: () => Promise.resolve('') };
  const look = async (): Promise<StartFacts> => await gatherProblem({ places, programs, services, mounts: join(folder.path, 'none') });
  assert.deepEqual((await look()).unopened, []);
  await systemPrograms.run('mv', [join(places.credentials, 'workspace-x'), join(places.credentials, 'sealing-key')]);
  const [moved] = (await look()).unopened;
  assert.equal(moved?.name, 'sealing-key');
  assert.match(moved?.said ?? '', /name|match/i);
  await systemPrograms.run('rm', [join(folder.path, 'host.secret')]);
  assert.equal((await programs.run('systemd-creds', ['setup'])).code, 0);
  await store.put('fresh', 'a secret under the new key');
  const facts = await look();
  assert.deepEqual(
    facts.unopened.map(({ name, isByHostAlone }) => [name, isByHostAlone]),
    [['sealing-key', true]],
  );
  assert.match(problemText(problemOf(facts)), /sealed by the key of a machine that this one is not/);
});
