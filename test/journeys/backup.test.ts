import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readAuditKey } from '../../src/audit/audit-key.ts';
import { readEntries } from '../../src/audit/read.ts';
import { type AuditFault, verifyAuditLog } from '../../src/audit/verify.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { makePrivateFolder } from '../../src/files.ts';
import { isSealed, newSealingKey, SEALING_KEY } from '../../src/own-secrets.ts';
import { enrolMachine, sendBatches, startFleet } from '../support/fleet.ts';
import { createOracle, everythingArrives, readArrived } from '../support/oracle.ts';
import { type RelayProcess, relayProcess } from '../support/relay-process.ts';
import { runCommand, runWell } from '../support/run-relay.ts';
import { BANK, type Site, startSite } from '../support/site.ts';

/** The passphrase is meant to cost whoever tries it seconds, and a busy machine many. */
const SLOW = { timeoutMs: 120_000 };
const PASSPHRASE = 'six words that nobody else knows';

/** A machine's credential store, as its service manager opens it for the relay. */
async function credentialsIn(folder: string): Promise<string> {
  const path = join(folder, 'credentials');
  await makePrivateFolder(path);
  await writeFile(join(path, SEALING_KEY), newSealingKey(), { mode: 0o600 });
  return path;
}

/** A fresh machine: folders, Redis and a configuration of its own, at the address of the old one. Nothing has run on it. */
async function freshMachine(site: Site, folder: string, launcher: readonly string[] = []): Promise<RelayProcess & AsyncDisposable> {
  await using parts = new AsyncDisposableStack();
  await makePrivateFolder(folder);
  const redis = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => redis.stop('SIGKILL'));
  const sections = {
    cache: { redis: { socket: redis.socket } },
    workspaces: [site.upstream().option],
    intake: { address: '127.0.0.1', port: site.relay.port() },
  };
  const relay = parts.use(await relayProcess(join(folder, 'relay'), sections, launcher));
  await relay.writeConfiguration();
  const all = parts.move();
  return { ...relay, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** What is wrong with a relay's audit log. */
async function faultOf({ dataFolder }: RelayProcess): Promise<AuditFault | undefined> {
  return (await verifyAuditLog(join(dataFolder, 'audit'), await readAuditKey(join(dataFolder, 'keys', 'audit.key')))).fault;
}

test('a backup of a relay under load, restored on a fresh machine: the same agents send on, with the keys, names and trust they have', async () => {
  await using site = await startSite();
  const { relay } = site;
  const { dataFolder, local } = site.upstream();
  const oracle = createOracle();
  const passphraseFile = join(site.folder, 'passphrase');
  await writeFile(passphraseFile, `${PASSPHRASE}\n`, { mode: 0o600 });
  const machines = await site.machines(3);
  const enrolmentKey = await relay.createKey(BANK, 'before');
  const { rootFingerprint } = await relay.status();
  const out = join(site.folder, 'relay.tar.gz.age');

  // Act: back up while batches come.
  const fleet = startFleet({ machines: machines.slice(0, 1), oracle });
  const before = oracle.count();
  const made = JSON.parse(
    await runWell(['backup', '--config', relay.configFile, '--out', out, '--passphrase-file', passphraseFile, '--with-audit', '--json'], SLOW),
  ) as {
    readonly agents: number;
    readonly rootFingerprint: string;
    readonly files: readonly { readonly name: string }[];
    readonly leftOut: readonly unknown[];
  };
  await fleet.stop();
  assert.ok(oracle.count() > before + 10 && fleet.answers(503) === 0, `${oracle.count() - before} batches were taken meanwhile`);
  assert.deepEqual([made.agents, made.rootFingerprint, made.leftOut], [3, rootFingerprint, []]);
  assert.ok(!made.files.some(({ name }) => name.includes('cache/')), 'the cache is in it');
  await everythingArrives(oracle, dataFolder, BANK);
  const [entry] = await readEntries(join(relay.dataFolder, 'audit'), { last: 10, action: 'backup.create' });
  assert.deepEqual([entry?.on, entry?.result, entry?.detail], [out, 'done', 'state, audit']);
  // What is taken after the backup, and waits when the machine is lost.
  const lost = createOracle();
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, lost, 2);
  await relay.end('SIGKILL');
  await local.setFault({ mode: 'none' });

  await using fresh = await freshMachine(site, join(site.folder, 'fresh'));
  const restored = await runWell(['restore', out, '--config', fresh.configFile, '--passphrase-file', passphraseFile], SLOW);
  assert.match(restored, /3 agents/);
  assert.match(restored, /Not here: batches taken after/);
  assert.equal((await fresh.start()).rootFingerprint, rootFingerprint);

  // The same machines, with the certificates and the trust they have.
  await sendBatches(machines, oracle, 5);
  await everythingArrives(oracle, dataFolder, BANK);
  // A key that was handed out before still lets a machine in.
  const newcomer = await enrolMachine(await site.target(), BANK, enrolmentKey);
  await sendBatches([newcomer], oracle, 1);
  newcomer.close();
  assert.equal((await fresh.status()).agents.approved, 4);
  // It is on the old machine's disk alone.
  assert.equal(lost.compare(BANK, readArrived(dataFolder, BANK)).missing, 6);
  // The log goes on where the old machine's was, and says why.
  assert.equal(await faultOf(fresh), undefined);
  const actions = (await readEntries(join(fresh.dataFolder, 'audit'), { last: 100 })).map(({ action }) => action);
  assert.ok(
    actions.indexOf('backup.create') < actions.indexOf('relay.restore') && actions.lastIndexOf('relay.start') > actions.indexOf('relay.restore'),
    actions.join(),
  );
});

test('sealed on both machines under keys of their own, the cache along: the old machine is copied while it is stopped, and what waited arrives from the new one', async () => {
  let credentials = '';
  await using site = await startSite({
    prepare: async (folder) => {
      credentials = await credentialsIn(join(folder, '..'));
    },
    launcher: (folder) => ['env', `CREDENTIALS_DIRECTORY=${join(folder, 'credentials')}`],
  });
  const { relay } = site;
  const { dataFolder, local } = site.upstream();
  const oracle = createOracle();
  const passphraseFile = join(site.folder, 'passphrase');
  await writeFile(passphraseFile, PASSPHRASE, { mode: 0o600 });
  const machines = await site.machines(2);
  const { rootFingerprint } = await relay.status();
  await local.setFault({ mode: 'down' });
  await sendBatches(machines, oracle, 10);
  const out = join(site.folder, 'relay.tar.gz.age');
  const order = ['backup', '--config', relay.configFile, '--out', out, '--passphrase-file', passphraseFile, '--offline', '--with-cache'];
  const opened = { ...SLOW, launcher: ['env', `CREDENTIALS_DIRECTORY=${credentials}`] };
  const early = await runCommand(order, opened);
  assert.equal(early.code, 1);
  assert.match(early.err, /another relay runs with this data folder/);
  await relay.end('SIGKILL');
  const sealed = await runCommand(order, SLOW);
  assert.match(sealed.err, /is sealed and cannot be opened: the credential "sealing-key" was not given/);
  await runWell(order, opened);
  await local.setFault({ mode: 'none' });

  const folder = join(site.folder, 'fresh');
  const own = await credentialsIn(folder);
  const launcher = ['env', `CREDENTIALS_DIRECTORY=${own}`];
  await using fresh = await freshMachine(site, folder, launcher);
  await runWell(['restore', out, '--config', fresh.configFile, '--passphrase-file', passphraseFile], { ...SLOW, launcher });
  for (const name of ['keys/cache.json', 'authority/root.key', `upstream/${BANK}/identity.pem`])
    assert.ok(isSealed(await readFile(join(fresh.dataFolder, name))), name);
  assert.equal((await fresh.start()).rootFingerprint, rootFingerprint);
  await sendBatches(machines, oracle, 2);
  await everythingArrives(oracle, dataFolder, BANK);
  assert.equal(await faultOf(fresh), undefined);
  // A second restore finds a relay that runs, and leaves it alone.
  const again = await runCommand(['restore', out, '--config', fresh.configFile, '--passphrase-file', passphraseFile, '--replace'], { ...SLOW, launcher });
  assert.equal(again.code, 1);
  assert.match(again.err, /A relay runs on this machine/);
  await sendBatches(machines, oracle, 1);
});
