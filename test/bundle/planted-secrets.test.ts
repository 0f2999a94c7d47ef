import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { AuditEntry } from '../../src/audit/line.ts';
import { ask } from '../../src/control/client.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { makePrivateFolder } from '../../src/files.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { createBody, enrolMachine, UPLOAD_HEADERS } from '../support/fleet.ts';
import { type RelayProcess, relayProcess } from '../support/relay-process.ts';
import { runCommand, runWell } from '../support/run-relay.ts';
import { BANK, PLANT, startUpstream } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

interface Stage extends AsyncDisposable {
  readonly folder: string;
  readonly relay: RelayProcess;
  /** Every secret that was planted, by what it is. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** A relay with a secret in every place that takes one. */
async function plant(): Promise<Stage> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const secrets = new Map<string, string>();
  const fileOf = async (what: string, secret: string): Promise<string> => {
    secrets.set(what, secret);
    const path = join(folder, `${what}.secret`);
    await writeFile(path, `${secret}\n`, { mode: 0o600 });
    return path;
  };
  const upstream = parts.use(await startUpstream(folder, BANK));
  const redis = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => redis.stop('SIGKILL'));
  const redisPassword = `redis-${randomBytes(12).toString('hex')}`;
  await tellRedis(redis.socket, `CONFIG SET requirepass ${redisPassword}`);
  const azure = {
    id: PLANT,
    name: 'plant',
    protocol: 'logs-ingestion',
    ingestion: {
      endpoint: 'https://127.0.0.1:9',
      ruleId: 'dcr-0123456789abcdef0123456789abcdef',
      signIn: { tenantId: 'plant.example.org', clientId: PLANT, secretFile: await fileOf('client-secret', 'abc8Q~the.client-secret_of~an-application') },
    },
    path: { kind: 'proxy', proxy: { host: '127.0.0.1', port: 9, user: 'relay', passwordFile: await fileOf('proxy', 'ein Passwort "für" 1+1/2') } },
  };
  const relay = parts.use(
    await relayProcess(join(folder, 'relay'), {
      cache: { redis: { socket: redis.socket, passwordFile: await fileOf('redis', redisPassword) } },
      workspaces: [{ ...upstream.option, name: 'bank' }, azure],
      metrics: {
        port: 0,
        user: 'prometheus',
        passwordFile: await fileOf('metrics-password', 'metrics-hunter2'),
        tokenFile: await fileOf('metrics-token', randomBytes(24).toString('base64url')),
      },
    }),
  );
  secrets.set('shared-key', await readFile(upstream.option['sharedKeyFile'] as string, 'utf8'));
  await relay.start();
  secrets.set('enrolment-key', await relay.createKey(BANK, 'site'));
  // Somebody mistook a secret for a name: now it is in the log and in the audit log.
  await relay.createKey(BANK, redisPassword);
  await relay.createKey(BANK, secrets.get('metrics-token') ?? '');
  const ring = JSON.parse(await readFile(join(relay.dataFolder, 'keys', 'cache.json'), 'utf8')) as { keys: Record<string, string> };
  for (const [id, key] of Object.entries(ring.keys)) secrets.set(`key ${id} of the ring`, key);
  secrets.set('audit key', (await readFile(join(relay.dataFolder, 'keys', 'audit.key'), 'utf8')).trim());
  for (const name of ['root.key', 'server.key']) {
    const [, line = ''] = (await readFile(join(relay.dataFolder, 'authority', name), 'utf8')).split('\n');
    secrets.set(name, line);
  }
  const all = parts.move();
  return { folder, relay, secrets, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function tellRedis(socket: string, command: string): Promise<void> {
  const connection = connect(socket);
  connection.write(`${command}\r\n`);
  const [reply] = (await once(connection, 'data')) as [Buffer];
  assert.match(reply.toString(), /^\+OK/);
  connection.destroy();
}

/** Opens an archive with the system's tar; the texts by their names. */
async function unpack(path: string, into: string): Promise<ReadonlyMap<string, string>> {
  await makePrivateFolder(into);
  await promisify(execFile)('tar', ['xzf', path, '-C', into]);
  const [folder = ''] = await readdir(into);
  const names = await readdir(join(into, folder));
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(into, folder, name), 'utf8')] as const)));
}

/** No secret in any file, in no form. */
function assertClean(files: ReadonlyMap<string, string>, secrets: ReadonlyMap<string, string>): void {
  const all = [...files].map(([name, text]) => `${name}\n${text}`).join('\n');
  for (const [what, secret] of secrets) {
    const bytes = Buffer.from(secret);
    const meant = Buffer.from(secret, 'base64');
    const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)];
    for (const one of [bytes, ...(meant.length >= 16 ? [meant] : [])]) {
      forms.push(one.toString('hex'), one.toString('base64').replace(/=+$/, '').slice(0, -1), one.toString('base64url').slice(0, -1));
    }
    for (const form of forms) assert.ok(!all.includes(form), `${what} is in the bundle`);
  }
  assert.ok(!all.includes('PRIVATE KEY'));
}

const PARTS = [
  'MANIFEST.txt',
  'attention.txt',
  'audit.jsonl',
  'cache.json',
  'certificates.json',
  'configuration.yaml',
  'dead-letters.jsonl',
  'doctor.txt',
  'log.txt',
  'losses.jsonl',
  'machine.json',
  'metrics.txt',
  'redis.txt',
  'status.json',
  'versions.json',
];

describe('a support bundle of a relay with planted secrets', () => {
  it('has every part and no secret while the relay runs, and is in the audit log; without the relay it says what is missing', async () => {
    await using stage = await plant();
    const { folder, relay, secrets } = stage;
    const machine = await enrolMachine({ port: relay.port(), rootPem: await readFile(relay.rootFile, 'utf8') }, BANK, secrets.get('enrolment-key') ?? '');
    for (let at = 1; at <= 3; at += 1) assert.equal((await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, at).body)).status, 200);
    machine.close();

    const first = join(folder, 'first.tar.gz');
    const told = JSON.parse(await runWell(['support-bundle', '--yes', '--json', '--config', relay.configFile, '--out', first])) as Record<string, unknown>;
    assert.deepEqual([told['path'], told['audited'], told['leftOut']], [first, true, []]);
    assert.equal((await stat(first)).mode & 0o777, 0o600);
    const running = await unpack(first, join(folder, 'first'));
    assert.deepEqual([...running.keys()].sort(), PARTS);
    assertClean(running, secrets);
    assert.match(running.get('configuration.yaml') ?? '', /passwordFile: .*redis\.secret/);
    assert.match(running.get('log.txt') ?? '', /"name":"\[secret\]".*an operator created an enrolment key/);
    assert.match(running.get('audit.jsonl') ?? '', /"enrolment-key.create","on":"\[secret\]"/);
    assert.match(running.get('metrics.txt') ?? '', /^relay_received_batches_total\{workspace="bank",kind="Event"\} 3$/m);
    assert.match(running.get('redis.txt') ?? '', /^redis_version:/m);
    assert.match(running.get('cache.json') ?? '', /"fileBytes"/);
    assert.match(running.get('certificates.json') ?? '', /"fingerprint256": "(?:[0-9A-F]{2}:){31}[0-9A-F]{2}"/);
    assert.match(running.get('doctor.txt') ?? '', /^relay\n {2}ok {8}configuration/);

    const entries = await ask<AuditEntry[]>(relay.socket, 'GET', '/audit?last=10&action=support-bundle');
    assert.deepEqual(
      entries.map(({ action, result, on }) => [action, result, /^relay-support-.*\.tar\.gz$/.test(on)]),
      [['support-bundle.create', 'done', true]],
    );

    await relay.end('SIGTERM');
    const second = join(folder, 'second.tar.gz');
    const { code, out, err } = await runCommand(['support-bundle', '--yes', '--config', relay.configFile, '--out', second]);
    assert.equal(code, 0, err);
    assert.match(out, /second\.tar\.gz \(\d+ bytes\)\. It is not in the audit log/);
    assert.match(err, /^FILE +SIZE +WHAT\n/);
    assert.match(err, /\nstatus\.json +no relay answers at /);
    const stopped = await unpack(second, join(folder, 'second'));
    assertClean(stopped, secrets);
    for (const name of ['audit.jsonl', 'cache.json', 'certificates.json', 'redis.txt', 'doctor.txt', 'losses.jsonl']) assert.ok(stopped.has(name), name);
    assert.match(stopped.get('audit.jsonl') ?? '', /"relay\.stop"/);
    assert.match(stopped.get('MANIFEST.txt') ?? '', /\nstatus\.json +no relay answers at /);

    const again = await runCommand(['support-bundle', '--yes', '--config', relay.configFile, '--out', second]);
    assert.deepEqual([again.code, /already\. Give another with --out/.test(again.err)], [2, true]);
    const unasked = await runCommand(['support-bundle', '--config', relay.configFile, '--out', join(folder, 'third.tar.gz')]);
    assert.deepEqual([unasked.code, /There is no terminal to ask at .* --yes/.test(unasked.err)], [2, true]);
    await assert.rejects(stat(join(folder, 'third.tar.gz')), { code: 'ENOENT' });
  });
});
