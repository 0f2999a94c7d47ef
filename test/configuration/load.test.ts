import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Environment } from '../../src/configuration/environment.ts';
import { configurationFile, loadConfiguration } from '../../src/configuration/load.ts';
import type { Configuration } from '../../src/configuration/schema.ts';
import { RelayError } from '../../src/errors.ts';
import { createConfigurationFile } from './configuration-file.ts';

const A = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';
const B = '7d54bebf-7428-4660-a7e5-ba4b04f1144f';

async function load(text: string, env: Environment = {}): Promise<Configuration> {
  await using file = await createConfigurationFile(text);
  return await loadConfiguration({ file: file.path, env });
}

// The lines below the first, without their indentation.
async function problemsOf(text: string, env: Environment = {}): Promise<readonly string[]> {
  try {
    await load(text, env);
  } catch (thrown) {
    assert.ok(thrown instanceof RelayError);
    assert.equal(thrown.code, 'relay.configuration.invalid');
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe('loadConfiguration', () => {
  it('gives the defaults for an empty file', async () => {
    const configuration = await load('');
    assert.equal(configuration.data, '/var/lib/relay');
    assert.equal(configuration.control.socket, '/var/lib/relay/relay.sock');
    assert.equal(configuration.retry.every, 480_000);
  });

  it('takes what the file says', async () => {
    const { workspaces, managementGroup } = await load(`
managementGroup:
  approve:
    - { hostName: web-*.example.org, enrolmentKey: site-a }
workspaces:
  - { id: ${A.toUpperCase()}, sharedKeyFile: /keys/a }
  - { id: ${B}, name: Finance, sharedKeyFile: /keys/b, endpoint: "https://127.0.0.1:8443/", trustFile: /keys/root.pem, direct: { credential: certificate, proxy: "127.0.0.1:8080" } }
`);
    assert.deepEqual(managementGroup.approve, [{ hostName: 'web-*.example.org', enrolmentKey: 'site-a' }]);
    const found = workspaces.map(({ ingestion: _, path: __, signInPath: ___, copyTo: ____, ...workspace }) => workspace);
    const signIn = { method: 'client-secret', cloud: 'public' };
    assert.deepEqual(found, [
      {
        id: A,
        protocol: 'operational-data',
        domain: 'opinsights.azure.com',
        sharedKeyFile: '/keys/a',
        direct: { credential: 'none', proxy: 'none', signIn },
        name: A,
      },
      {
        id: B,
        protocol: 'operational-data',
        domain: 'opinsights.azure.com',
        endpoint: 'https://127.0.0.1:8443',
        sharedKeyFile: '/keys/b',
        trustFile: '/keys/root.pem',
        direct: { credential: 'certificate', proxy: '127.0.0.1:8080', signIn },
        name: 'Finance',
      },
    ]);
  });

  it("resolves relative paths against the file's folder, and <data> to the data folder", async () => {
    await using file = await createConfigurationFile(`
data: kept
cache: { keyFile: keys/cache.json, redis: { socket: ../redis.sock, passwordFile: <data>/password } }
workspaces: [{ id: ${A}, sharedKeyFile: keys/a, trustFile: /etc/ssl/root.pem }]
`);
    const { data, cache, control, workspaces } = await loadConfiguration({ file: file.path, env: {} });
    assert.equal(data, join(file.folder, 'kept'));
    assert.equal(cache.keyFile, join(file.folder, 'keys/cache.json'));
    assert.equal(cache.redis.socket, join(file.folder, '../redis.sock'));
    assert.equal(cache.redis.passwordFile, join(file.folder, 'kept/password'));
    assert.equal(control.socket, join(file.folder, 'kept/relay.sock'));
    assert.deepEqual([workspaces[0]?.sharedKeyFile, workspaces[0]?.trustFile], [join(file.folder, 'keys/a'), '/etc/ssl/root.pem']);
  });

  it('lets the environment win over the file', async () => {
    const env = {
      RELAY_CACHE_LIMIT: '20GiB',
      RELAY_CACHE_REDIS_SOCKET: 'run/redis.sock',
      RELAY_RETRY_EVERY: '1s',
      RELAY_INTAKE_PORT: '0',
      RELAY_AUTHORITY_SERVER_NAMES: 'relay.example.org, 10.0.0.5',
      RELAY_MANAGEMENT_GROUP_APPROVE: 'all',
      RELAY_CONFIG: '/another/file.yaml',
      PATH: '/usr/bin',
    };
    await using file = await createConfigurationFile('cache: { limit: 1GiB, memory: 1MiB }\nretry:\n');
    const { cache, retry, intake, authority, managementGroup } = await loadConfiguration({ file: file.path, env });
    assert.deepEqual([cache.limit, cache.memory], [20 * 2 ** 30, 2 ** 20]);
    assert.equal(cache.redis.socket, join(file.folder, 'run/redis.sock'));
    assert.deepEqual([retry.every, retry.window], [1000, 7_200_000]);
    assert.equal(intake.port, 0);
    assert.deepEqual(authority.serverNames, ['relay.example.org', '10.0.0.5']);
    assert.equal(managementGroup.approve, 'all');
  });

  it('reports everything that is wrong at once, by path, with the value found and what is allowed', async () => {
    const text = `
data: 5
retry: { every: 480, window: }
cache: { limit: 12 parsecs, Limits: 3, redis: 5 }
log: [debug]
managementGroup: { approve: [{}, { hostName: 5 }] }
authority: { serverNames: [ok.example.org, a b], serverKeyFile: /key }
workspaces:
  - { id: x, sharedkeyfile: /key }
  - 7
`;
    assert.deepEqual(await problemsOf(text, { RELAY_INTAKE_MAX_CONNECTIONS: 'lots', RELAY_METRICS_ADDRESS: '' }), [
      'data: found 5; a path such as /etc/relay/workspace.key',
      'log: found a list; a section of options',
      'workspaces[0].id: found "x"; a workspace id, a GUID such as 3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f',
      'workspaces[0].sharedkeyfile: unknown option; did you mean sharedKeyFile?',
      'workspaces[0].sharedKeyFile: not given; the protocol operational-data needs it',
      'workspaces[1]: found 7; a section of options',
      'managementGroup.approve[0]: found an empty rule; it needs hostName, enrolmentKey, group or several of them',
      'managementGroup.approve[1].hostName: found 5; a host name pattern such as web-*.example.org',
      'authority.serverNames[1]: found "a b"; a DNS name such as relay.example.org or *.relay.example.org, or an IP address',
      'authority.serverCertificateFile: missing; a key of your own needs its certificate: give both serverCertificateFile and serverKeyFile, or neither',
      'RELAY_INTAKE_MAX_CONNECTIONS (intake.maxConnections): found "lots"; a whole number from 1 to 1000000',
      'cache.limit: found "12 parsecs"; a size such as 512MiB or 20GiB, from 64KiB to 1PiB',
      'cache.redis: found 5; a section of options',
      'cache.Limits: unknown option; did you mean limit?',
      'retry.every: found 480; a duration such as 500ms, 8m or 1h30m, from 100ms to 1d',
      'retry.window: found nothing; a duration such as 500ms, 8m or 1h30m, from 100ms to 30d',
      'RELAY_METRICS_ADDRESS (metrics.address): found ""; an IP address such as 0.0.0.0, 127.0.0.1 or ::',
    ]);
  });

  const contradictions: [title: string, text: string, problem: string][] = [
    [
      'a solution nobody knows',
      'solutions: [{ name: Performance counter, route: relay }]',
      'solutions[0]: found "Performance counter"; unknown solution; did you mean Performance counters?',
    ],
    [
      'a solution that cannot go straight',
      'solutions: [{ name: configuration assessment, route: direct }]',
      'solutions[0]: Configuration Assessment needs the management group: its data goes through the relay',
    ],
    [
      'a solution given twice',
      'solutions: [{ name: Wire Data, route: relay }, { name: wire data, enabled: false }]',
      'solutions: found wire data more than once for the same data type and group; give each once',
    ],
    [
      'a solution for a group that is not there',
      'solutions: [{ name: Wire Data, route: relay, group: web }]',
      'solutions: found the group "web"; managementGroup.groups has no group of that name',
    ],
    ['a group larger than a segment', 'cache: { groupSize: 8MiB, segmentSize: 4MiB }', 'cache.groupSize: found 8MiB; at most cache.segmentSize, which is 4MiB'],
    [
      'a drop order without all kinds',
      'cache: { dropOrder: [Event, Alert, Event] }',
      'cache.dropOrder: found Event, Alert, Event; each of Performance, Metadata, State, Configuration, Event, Alert once',
    ],
    ['a segment larger than the cache', 'cache: { limit: 32MiB }', 'cache.segmentSize: found 64MiB; at most cache.limit, which is 32MiB'],
    [
      'a workspace that may keep more than all',
      'cache: { limit: 10GiB, limitPerWorkspace: 11GiB }',
      'cache.limitPerWorkspace: found 11GiB; at most cache.limit, which is 10GiB',
    ],
    [
      'a certificate without its key',
      'authority: { serverCertificateFile: /a }',
      'authority.serverKeyFile: missing; a certificate of your own needs its key: give both serverCertificateFile and serverKeyFile, or neither',
    ],
    [
      'a workspace given twice',
      `workspaces: [{ id: ${A}, sharedKeyFile: k }, { id: ${A.toUpperCase()}, name: Other, sharedKeyFile: k }]`,
      `workspaces: found the id ${A} more than once; each workspace is given once`,
    ],
    [
      'a name given twice',
      `workspaces: [{ id: ${A}, name: Bank, sharedKeyFile: k }, { id: ${B}, name: Bank, sharedKeyFile: k }]`,
      'workspaces: found the name "Bank" more than once; names are unique',
    ],
    ['two listeners on one port', 'metrics: { port: 8443 }', 'metrics.port: found 8443; a port other than intake.port'],
  ];
  for (const [title, text, problem] of contradictions) {
    it(`refuses ${title}`, async () => assert.deepEqual(await problemsOf(text), [problem]));
  }

  it('suggests the name that was probably meant', async () => {
    const [section, variable, far] = await problemsOf('cach: {}', { RELAY_CACH_LIMIT: 'hush', RELAY_NONSENSE: 'hush' });
    assert.equal(section, 'cach: unknown option; did you mean cache?');
    assert.equal(variable, 'RELAY_CACH_LIMIT: unknown environment variable; did you mean RELAY_CACHE_LIMIT?');
    assert.equal(far, 'RELAY_NONSENSE: unknown environment variable; relay config reference lists all there are');
  });

  it('lists what there is when nothing is near', async () => {
    assert.deepEqual(await problemsOf('retry: { "x\\ny": 1 }'), ['retry."x\\ny": unknown option; there is every, window']);
  });

  it('never shows the value of what it does not know', async () => {
    const problems = await problemsOf(`workspaces: [{ id: ${A}, sharedKey: hush, sharedKeyFile: k }]`, { RELAY_SHARED_KEY: 'hush' });
    assert.equal(problems.length, 2);
    assert.ok(!problems.join().includes('hush'));
  });

  it('refuses a secret where the path of its file belongs, and never shows it', async () => {
    const key = Buffer.alloc(64, 'hush').toString('base64');
    const problems = await problemsOf(`
authority: { serverCertificateFile: /c, serverKeyFile: "-----BEGIN PRIVATE KEY-----\\n${key}" }
cache: { redis: { passwordFile: 20262026 } }
workspaces: [{ id: ${A}, sharedKeyFile: ${key} }]
`);
    const sentence = 'found something that is not shown here; the path of a file that holds the secret, never the secret itself';
    assert.deepEqual(problems, [`workspaces[0].sharedKeyFile: ${sentence}`, `authority.serverKeyFile: ${sentence}`, `cache.redis.passwordFile: ${sentence}`]);
  });

  it('names line and column of what is no YAML', async () => {
    const [unclosed] = await problemsOf('data: /a\ncache: [1\nretry: 2\n');
    assert.match(unclosed ?? '', /^line 3, column 1: /);
    assert.match((await problemsOf('data: /a\ndata: /b\n')).join(), /^line 2, column 1: Map keys must be unique/);
    assert.match((await problemsOf('data: !secret key\n')).join(), /^line 1, column 7: Unresolved tag/);
    assert.match((await problemsOf('data: *nothing\n')).join(), /nothing/);
  });

  it('refuses a file whose aliases would grow without end', async () => {
    const levels = Array.from({ length: 9 }, (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level},`.repeat(9)}]`);
    assert.equal((await problemsOf(['a0: &a0 x', ...levels].join('\n'))).length, 1);
  });

  it('shows at most a hundred problems', async () => {
    const problems = await problemsOf(Array.from({ length: 150 }, (_, index) => `unknown${index}: 1`).join('\n'));
    assert.equal(problems.length, 101);
    assert.equal(problems.at(-1), 'and 50 more');
  });

  it('says what to do when there is no file, or none that can be read', async () => {
    await using file = await createConfigurationFile('');
    const missing = { code: 'relay.configuration.unreadable', message: /no configuration file .*missing\.yaml.*--config or RELAY_CONFIG/ };
    await assert.rejects(loadConfiguration({ env: { RELAY_CONFIG: join(file.folder, 'missing.yaml') } }), missing);
    await mkdir(join(file.folder, 'folder.yaml'));
    const unreadable = { code: 'relay.configuration.unreadable', message: /cannot be read/ };
    await assert.rejects(loadConfiguration({ file: join(file.folder, 'folder.yaml'), env: {} }), unreadable);
    await writeFile(file.path, '#'.repeat(256 * 1024 + 1));
    await assert.rejects(loadConfiguration({ file: file.path, env: {} }), unreadable);
  });

  it('takes the file of the command line before that of RELAY_CONFIG, and that before the usual one', () => {
    assert.equal(configurationFile({ file: '/a', env: { RELAY_CONFIG: '/b' } }), '/a');
    assert.equal(configurationFile({ env: { RELAY_CONFIG: '/b' } }), '/b');
    assert.equal(configurationFile({ env: {} }), '/etc/relay/relay.yaml');
  });
});
