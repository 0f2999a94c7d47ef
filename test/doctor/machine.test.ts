import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { openAuthority } from '../../src/authority/authority.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { createPatient, DAY_MS } from './patient.ts';

suite('the doctor finds what is planted in the machine', () => {
  test('nothing about a Redis with the appliance’s settings', async () => {
    assert.equal((await redisFinding([])).state, 'good');
  });

  test('Redis without appendonly', async () => {
    const found = await redisFinding(['--appendonly', 'no']);
    is(found, 'attention', /not as it should be/, /appendonly yes/);
  });

  test('Redis with maxmemory-policy allkeys-lru', async () => {
    const found = await redisFinding(['--maxmemory-policy', 'allkeys-lru']);
    is(found, 'wrong', /cannot be used/, /maxmemory-policy noeviction/);
  });

  test('no Redis at all', async () => {
    await using patient = await createPatient();
    is(at(await patient.findings({}, { limitMs: 200 }), 'redis'), 'wrong', /no-redis\.sock does not answer/, /cache\.redis/);
  });

  test('a data folder that cannot be written to', async () => {
    await using patient = await createPatient();
    await patient.write('not-a-folder', '');
    is(at(await patient.findings({ data: 'not-a-folder/data' }, { limitMs: 200 }), 'disk'), 'wrong', /cannot be written to/, /chown relay/);
  });

  test('a cache limit larger than the disk', async () => {
    await using patient = await createPatient();
    is(
      at(await patient.findings({ cache: { limit: '1PiB', redis: { socket: '/nowhere' } } }, { limitMs: 200 }), 'disk'),
      'attention',
      /more than the whole disk/,
      /cache\.limit/,
    );
  });

  test('the server certificate near its end', async () => {
    await using patient = await createPatient();
    await usingServerCertificate(join(patient.folder, 'data', 'authority'), Date.now() - 85 * DAY_MS);
    const found = at(await patient.findings({}, { limitMs: 200 }), 'certificate: the server certificate');
    is(found, 'attention', /ends on \d{4}-\d\d-\d\d, in 4 days|in 5 days/, /renews it at two thirds/);
  });

  test('the server certificate beyond its end', async () => {
    await using patient = await createPatient();
    await usingServerCertificate(join(patient.folder, 'data', 'authority'), Date.now() - 95 * DAY_MS);
    is(at(await patient.findings({}, { limitMs: 200 }), 'certificate: the server certificate'), 'wrong', /ended on/, /start the relay/);
  });

  test('a port that another program has taken', async () => {
    await using patient = await createPatient();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const found = at(await patient.findings({ intake: { address: '127.0.0.1', port } }, { limitMs: 200 }), 'port: intake.port');
    other.close();
    is(found, 'wrong', new RegExp(`127\\.0\\.0\\.1:${port} is taken by another program`), /ss -ltnp/);
  });

  test('an address that is not this machine’s', async () => {
    await using patient = await createPatient();
    const found = at(await patient.findings({ intake: { address: '203.0.113.5', port: 8443 } }, { limitMs: 200 }), 'port: intake.port');
    is(found, 'wrong', /not an address of this machine/, /intake\.address/);
  });
});

async function usingServerCertificate(folder: string, madeAt: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const authority = await openAuthority(folder, () => madeAt);
  const { certificate } = await authority.serverIdentity(['localhost'], 90);
  await writeFile(join(folder, 'server.pem'), certificate);
}

async function redisFinding(settings: readonly string[]): Promise<Finding> {
  await using patient = await createPatient();
  await using folder = await temporaryFolder();
  const redis = await startRedisServer(join(folder.path, 'redis'), settings);
  try {
    return at(await patient.findings({ cache: { redis: { socket: redis.socket } } }), 'redis');
  } finally {
    await redis.stop('SIGKILL');
  }
}

function at(findings: readonly Finding[], step: string): Finding {
  const found = findings.find((finding) => finding.step === step);
  assert.ok(found, `no step ${step}`);
  return found;
}

function is(found: Finding, state: Finding['state'], what: RegExp, remedy: RegExp): void {
  assert.equal(found.state, state, JSON.stringify(found));
  assert.match(found.what, what);
  assert.match('remedy' in found ? found.remedy : '', remedy);
}
