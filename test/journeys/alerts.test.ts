import assert from 'node:assert/strict';
import { hash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { type Prometheus, startPrometheus } from '../../src/demo/prometheus.ts';
import { UPLOAD_PATH } from '../../src/oms-protocol/paths.ts';
import { type AlertWatch, watchAlerts } from '../support/alert-watch.ts';
import { eventually } from '../support/eventually.ts';
import { createBody, type Machine, startFleet, UPLOAD_HEADERS } from '../support/fleet.ts';
import { freePort } from '../support/free-port.ts';
import { createOracle, everythingArrives } from '../support/oracle.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, PLANT, type Site, startSite } from '../support/site.ts';
import { spedUpRules } from '../support/sped-up-rules.ts';

const RULES = new URL('../../grafana/prometheus/rules/relay.rules.yml', import.meta.url);
/** Eight minutes are four seconds. */
const FACTOR = 120;
const SCRAPE_EVERY_MS = 500;
const EVALUATE_EVERY_MS = 250;
const PACE = { every: '4s', window: '24s' };
/** What they tell is the machine's below the test (its processors, its disk), or at a pace that nobody can speed up: the watchdog looks once a minute. */
const LEFT_OUT = new Set(['RelayEventLoopBlocked', 'RelayIntakeSlow', 'RelayDiskLow', 'RelayMachineDiskLow', 'RelayTargetMissing', 'RelayConsumerStill']);

interface Watched extends AsyncDisposable {
  readonly prometheus: Prometheus;
  readonly alerts: AlertWatch;
}

async function watch(site: Site): Promise<Watched> {
  await using started = new AsyncDisposableStack();
  const rules = join(site.folder, 'rules.yml');
  await writeFile(rules, spedUpRules(await readFile(RULES, 'utf8'), FACTOR));
  const { metricsPort } = await site.relay.status();
  const prometheus = await startPrometheus({
    folder: join(site.folder, 'prometheus'),
    scrapeEveryMs: SCRAPE_EVERY_MS,
    evaluateEveryMs: EVALUATE_EVERY_MS,
    jobs: [{ name: 'relay', targets: [{ address: `127.0.0.1:${metricsPort}`, instance: 'relay-1' }] }],
    ruleFiles: [rules],
  });
  started.defer(() => prometheus.stop());
  await eventually('the relay is scraped', async () => (await prometheus.query('up{job="relay"}'))[0]?.value === 1);
  const alerts = watchAlerts(prometheus, LEFT_OUT);
  started.use(alerts);
  const parts = started.move();
  return { prometheus, alerts, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function sendOne(machine: Machine, dataType: string, noiseBytes: number): Promise<number> {
  const body = deflateSync(JSON.stringify({ DataType: dataType, IPName: 'LogManagement', DataItems: [{ noise: randomBytes(noiseBytes).toString('base64') }] }));
  return (await machine.post(UPLOAD_PATH, UPLOAD_HEADERS, body)).status;
}

test('an outage, a bad record, an absent Redis and a killed relay raise exactly their alerts, in order, and these clear by themselves', async (t) => {
  // A relay that comes back must be where Prometheus looks for it.
  await using site = await startSite({ workspaces: [BANK, PLANT], sections: { retry: PACE, metrics: { port: await freePort() } } });
  const { relay } = site;
  const oracle = createOracle();
  const [bank, plant] = [await site.machines(2, BANK), await site.machines(1, PLANT)];
  const [ofPlant] = plant;
  assert.ok(ofPlant);
  await using watched = await watch(site);
  const { alerts } = watched;

  await t.test('while all is well, none fires', async () => {
    await using fleet = startFleet({ machines: [...bank, ...plant], oracle });
    await eventually('data flows', () => oracle.count(BANK) > 300 && oracle.count(PLANT) > 300);
    await fleet.stop();
    assert.deepEqual(alerts.fired(), []);
  });

  await t.test('a workspace out of reach: down, the window ends, held; and a dead letter of the other workspace, which is well', async () => {
    const { local } = site.upstream(PLANT);
    await local.setFault({ mode: 'poison', workspace: PLANT, marker: 'POISON' });
    const body = deflateSync(JSON.stringify({ DataType: 'LINUX_SYSLOGS_BLOB', IPName: 'LogManagement', DataItems: [{ Message: 'POISON' }] }));
    oracle.offered(PLANT, hash('sha256', body));
    assert.equal((await ofPlant.post(UPLOAD_PATH, UPLOAD_HEADERS, body)).status, 200);
    await site.upstream(BANK).local.setFault({ mode: 'down' });
    const { body: kept, sha256 } = createBody(bank[0]?.agentId ?? ofPlant.agentId, 1);
    oracle.offered(BANK, sha256);
    assert.equal((await bank[0]?.post(UPLOAD_PATH, UPLOAD_HEADERS, kept))?.status, 200);
    await alerts.fires(`RelayDataHeld page ${BANK}`, `RelayDeadLetters warn ${PLANT}`);
    assert.deepEqual(alerts.fired(), [
      `RelayUpstreamDown page ${BANK}`,
      `RelayRetryWindowEnding warn ${BANK}`,
      `RelayDataHeld page ${BANK}`,
      `RelayDeadLetters warn ${PLANT}`,
    ]);
    await site.upstream(BANK).local.setFault({ mode: 'none' });
    await local.setFault({ mode: 'none' });
    await runWell(['dead-letters', 'replay', '--all', '--socket', relay.socket]);
    await alerts.allClear();
    alerts.forget();
  });

  await t.test('Redis away: said at once, then that nothing is taken, then that agents are turned away', async () => {
    await using fleet = startFleet({ machines: bank, oracle });
    await site.killRedis();
    await alerts.fires('RelayRedisDown page', 'RelayNotReady page', 'RelayBackpressure warn');
    assert.deepEqual(alerts.fired(), ['RelayRedisDown page', 'RelayNotReady page', 'RelayBackpressure warn']);
    await site.startRedis('as it was');
    await alerts.allClear();
    await fleet.stop();
    alerts.forget();
  });

  await t.test('the relay killed: it is down, and nothing else is said of it', async () => {
    await relay.end('SIGKILL');
    await alerts.fires('RelayDown page');
    assert.deepEqual(alerts.fired(), ['RelayDown page']);
    await relay.start();
    await alerts.allClear();
    for (const id of [BANK, PLANT]) await everythingArrives(oracle, site.upstream(id).dataFolder, id);
    assert.deepEqual(alerts.fired(), ['RelayDown page']);
  });
});

test('a cache that fills while its workspace is away is said before it is full, then what it drops; all of it clears once the workspace is back', async () => {
  await using site = await startSite({
    sections: { retry: { every: '4s', window: '1h' } },
    cache: { limit: '256KiB', segmentSize: '64KiB', groupSize: '4KiB' },
  });
  const [machine] = await site.machines(1);
  assert.ok(machine);
  await using watched = await watch(site);
  const { alerts } = watched;
  const { local } = site.upstream();
  await local.setFault({ mode: 'down' });
  // Slowly enough that Prometheus sees it grow.
  while ((await sendOne(machine, 'LINUX_PERF_BLOB', 1_000)) === 200) await new Promise((resolve) => setTimeout(resolve, 100));
  await alerts.fires('RelayCacheFilling page');
  // Performance data gives way to an event, not to its like.
  assert.equal(await sendOne(machine, 'LINUX_SYSLOGS_BLOB', 1_000), 200);
  await alerts.fires(`RelayDataDropped warn ${BANK}`);
  assert.deepEqual(
    alerts.fired().filter((alert) => !alert.startsWith('RelayUpstreamDown')),
    ['RelayCacheFilling warn', 'RelayCacheFilling page', `RelayDataDropped warn ${BANK}`],
  );
  await local.setFault({ mode: 'none' });
  await runWell(['cache', 'retry-now', '--socket', site.relay.socket]);
  await alerts.allClear();
  assert.deepEqual(alerts.fired().toSorted(), [
    'RelayCacheFilling page',
    'RelayCacheFilling warn',
    `RelayDataDropped warn ${BANK}`,
    `RelayUpstreamDown page ${BANK}`,
  ]);
});
