import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { packBundle } from '../../appliance/release/pack-bundle.ts';
import type { AuditEntry } from '../../src/audit/line.ts';
import { CommandFailure } from '../../src/commands/output.ts';
import { upgradeCommand } from '../../src/commands/upgrade.ts';
import type { CreatedKey, Status } from '../../src/control/api.ts';
import { ask } from '../../src/control/client.ts';
import { startRedisServer } from '../../src/demo/redis-server.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { type Appliance, applianceAt } from '../support/appliance.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, enrolMachine, type Machine, startFleet, UPLOAD_HEADERS } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { createOracle, everythingArrives, type Oracle } from '../support/oracle.ts';
import { lendPackages, type RealRelease, writeRealRelease } from '../support/real-release.ts';
import { BANK, startUpstream } from '../support/site.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { MAKER } from '../upgrade/small-release.ts';

const AT_ITS_START = { file: 'commands/start.ts', what: '  await relay.start();\n' };
const EXITS: RealRelease = { version: '0.3.0', changes: [{ ...AT_ITS_START, by: "  throw new Error('this release is broken');\n" }] };
const NEVER_READY: RealRelease = {
  version: '0.3.1',
  changes: [{ file: 'cache/obstacles.ts', what: '  return [\n', by: "  return [\n    'This release takes nothing.',\n" }],
};
const NEWER_LAYOUT: RealRelease = {
  version: '0.3.2',
  changes: [
    { file: 'management-group/database.ts', what: 'STEP_4];', by: "STEP_4, 'ALTER TABLE agents ADD COLUMN shoe_size INTEGER;'];" },
    { ...AT_ITS_START, by: '  await relay.start();\n  process.exit(1);\n' },
  ],
};

/** It takes data but is not well, over a database that the release before cannot read. */
const UNSURE: RealRelease = {
  version: '0.3.3',
  changes: [
    { file: 'management-group/database.ts', what: 'STEP_4];', by: "STEP_4, 'ALTER TABLE agents ADD COLUMN shoe_size INTEGER;'];" },
    { file: 'cache/durable-cache.ts', what: 'const reasons = obstacles();', by: "const reasons = ['This release is not sure.'];" },
  ],
};

interface Ended {
  readonly code: number;
  readonly said: string;
}

interface UpgradedRelay extends AsyncDisposable {
  readonly appliance: Appliance;
  readonly machines: readonly Machine[];
  readonly oracle: Oracle;
  upgrade(release: RealRelease, ...options: readonly string[]): Promise<Ended>;
  /** The workspace comes back: everything acknowledged arrives, nothing twice, and the cache is empty. Returns how it compares. */
  comesBack(): Promise<unknown>;
}

/** A relay of release 0.1.0 on an appliance, with two machines, its workspace away. */
async function relayOf(limit: string): Promise<UpgradedRelay> {
  await using parts = new AsyncDisposableStack();
  const { path: folder } = parts.use(await temporaryFolder());
  const upstream = parts.use(await startUpstream(folder, BANK));
  const redis = await startRedisServer(join(folder, 'redis'));
  parts.defer(() => redis.stop('SIGKILL'));
  const bundles = join(folder, 'made');
  await mkdir(bundles);
  await lendPackages(folder);
  const appliance = parts.use(applianceAt(join(folder, 'm')));
  const { places, socket } = appliance;
  await appliance.configure({
    managementGroup: { approve: 'all' },
    intake: { address: '127.0.0.1', port: await freePort() },
    metrics: { port: 0 },
    retry: { every: '500ms', window: '1h' },
    cache: { limit, segmentSize: '64KiB', groupSize: '4KiB', redis: { socket: redis.socket } },
    workspaces: [upstream.option],
  });
  await writeFile(join(places.releaseKeys, 'maker.pem'), MAKER.publicKey.export({ type: 'spki', format: 'pem' }));
  await writeRealRelease(join(places.releases, '0.1.0'), { version: '0.1.0' });
  await appliance.use('0.1.0');
  await appliance.service.start();

  const oracle = createOracle();
  const { secret } = await ask<CreatedKey>(socket, 'POST', '/enrolment-keys', { workspaceId: BANK, name: 'machines' });
  const { intakePort: port } = await statusOf(appliance);
  const target = { port, rootPem: await readFile(join(places.state, 'authority', 'root.pem'), 'utf8') };
  const machines = [await enrolMachine(target, BANK, secret), await enrolMachine(target, BANK, secret)];
  for (const machine of machines) parts.defer(() => machine.close());
  await upstream.local.setFault({ mode: 'down' });
  const all = parts.move();

  return {
    appliance,
    machines,
    oracle,
    async upgrade(release, ...options) {
      await writeRealRelease(join(bundles, release.version), release);
      const bundle = join(bundles, `${release.version}.bundle`);
      await packBundle(join(bundles, release.version), [MAKER.privateKey], bundle);
      return await runUpgrade(appliance, [bundle, ...options]);
    },
    async comesBack() {
      await upstream.local.setFault({ mode: 'none' });
      const comparison = await everythingArrives(oracle, upstream.dataFolder, BANK);
      await eventually('the cache is empty', async () => (await statusOf(appliance)).cache.usedBytes === 0);
      assert.equal(comparison.repeated, 0);
      return comparison;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The same with a cache that takes nothing more. */
async function fullRelay(): Promise<UpgradedRelay> {
  const relay = await relayOf('128KiB');
  const fleet = startFleet(relay);
  await eventually('the cache is full', () => fleet.answers(503) >= 20);
  await fleet.stop();
  assert.ok(relay.oracle.count() >= 50, `${relay.oracle.count()} batches`);
  return relay;
}

test('with its workspace away and its cache full, a relay is upgraded from a bundle and taken back by hand, and everything acknowledged arrives', async (t) => {
  await using relay = await fullRelay();
  await mustHold(relay, '0.1.0');
  const good = await relay.upgrade({ version: '0.2.0' });
  t.diagnostic(good.said);
  assert.equal(good.code, 0, good.said);
  assert.match(good.said, /signed by key[\s\S]*Release 0\.2\.0 runs and is well/);
  await mustHold(relay, '0.2.0');
  assert.match(await audited(relay), /version 0\.1\.0[\s\S]*version 0\.2\.0/);
  const back = await runUpgrade(relay.appliance, ['--roll-back']);
  assert.equal(back.code, 0, back.said);
  await mustHold(relay, '0.1.0');
  t.diagnostic(`${relay.oracle.count()} acknowledged; ${JSON.stringify(await relay.comesBack())}`);
});

const BROKEN: readonly (readonly [string, RealRelease, RegExp, readonly string[]])[] = [
  ['ends at its start', EXITS, /ended at its start, 3 times[\s\S]*this release is broken/, []],
  ['never becomes ready', NEVER_READY, /a reason that was not there before: This release takes nothing\./, []],
  ['changes the database and then breaks', NEWER_LAYOUT, /ended at its start|its service does not run/, ['managementGroup']],
];
for (const [what, release, why, putBack] of BROKEN) {
  test(`with its cache full, a relay takes a release back by itself that ${what}, and everything acknowledged arrives`, async (t) => {
    await using relay = await fullRelay();
    const { code, said } = await relay.upgrade(release, '--healthy-within', '30s');
    t.diagnostic(said);
    assert.equal(code, 1, said);
    assert.match(said, new RegExp(`Release ${release.version} was taken back; 0\\.1\\.0 runs again and is well`));
    assert.match(said, why);
    await mustHold(relay, '0.1.0');
    const steps = await relay.appliance.steps();
    assert.deepEqual(
      steps.filter((step) => step.startsWith('putting back ')),
      putBack.map((part) => `putting back ${part}`),
    );
    t.diagnostic(`${relay.oracle.count()} acknowledged; ${JSON.stringify(await relay.comesBack())}`);
  });
}

test('what a release acknowledged that was then taken back arrives like everything else, and the agents are known as before', async (t) => {
  await using relay = await relayOf('64MiB');
  await using fleet = startFleet(relay);
  await eventually('data flows', () => relay.oracle.count() >= 20);
  const trial = relay.upgrade(UNSURE, '--healthy-within', '30s');
  await eventually('the new release answers', async () => (await statusOf(relay.appliance).catch(() => undefined))?.version === UNSURE.version);
  const before = relay.oracle.count();
  await eventually('it acknowledges', async () => relay.oracle.count() > before + 5);
  const { code, said } = await trial;
  assert.equal(code, 1, said);
  assert.match(said, /This release is not sure\./);
  assert.ok((await relay.appliance.steps()).includes('putting back managementGroup'));
  const after = relay.oracle.count();
  await eventually('the old release acknowledges', () => relay.oracle.count() > after + 5);
  await fleet.stop();
  assert.equal(fleet.answers(403), 0);
  t.diagnostic(`${relay.oracle.count()} acknowledged; ${JSON.stringify(await relay.comesBack())}`);
});

/** Runs `relay upgrade` on the appliance to its end. */
async function runUpgrade(appliance: Appliance, args: readonly string[]): Promise<Ended> {
  const lines: string[] = [];
  const command = upgradeCommand(() => ({ json: false, line: (text) => void lines.push(text) }), appliance);
  try {
    await command.parseAsync([...args], { from: 'user' });
    return { code: 0, said: lines.join('\n') };
  } catch (error) {
    return { code: error instanceof CommandFailure ? error.exitCode : 1, said: [...lines, String(error)].join('\n') };
  }
}

/** The release runs, has every batch in its cache, is still full, and still knows its agents. */
async function mustHold({ appliance, oracle, machines }: UpgradedRelay, version: string): Promise<void> {
  assert.equal((await statusOf(appliance)).version, version);
  assert.equal(await cachedBatches(appliance), oracle.count());
  for (const machine of machines) {
    const { status, text } = await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, createBody(machine.agentId, 0).body);
    assert.equal(status, 503, text);
    assert.match(text, /The cache is full/);
  }
}

async function audited({ appliance }: UpgradedRelay): Promise<string> {
  const entries = await ask<readonly AuditEntry[]>(appliance.socket, 'GET', '/audit');
  return entries.map(({ action, detail }) => `${action} ${detail}`).join('\n');
}

async function cachedBatches(appliance: Appliance): Promise<number> {
  return (await statusOf(appliance)).cache.workspaces.flatMap(({ balance }) => balance).reduce((sum, { cached }) => sum + cached.batches, 0);
}

function statusOf({ socket }: Appliance): Promise<Status> {
  return ask<Status>(socket, 'GET', '/status');
}
