import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { allDashboards } from '../../grafana/source/dashboards.ts';
import { annotationQueries, panelQueries, variableQueries } from '../../grafana/source/panel-queries.ts';
import { startNodeExporter, startRedisExporter } from '../../src/demo/exporters.ts';
import { alertRules } from '../../src/demo/observing.ts';
import { type Prometheus, startPrometheus } from '../../src/demo/prometheus.ts';
import { METRICS } from '../../src/metrics/catalogue.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet, UPLOAD_HEADERS } from '../support/fleet.ts';
import { createOracle, everythingArrives, readArrived } from '../support/oracle.ts';
import { runWell } from '../support/run-relay.ts';
import { BANK, PLANT, type Site, startSite } from '../support/site.ts';

const SCRAPE_EVERY_MS = 500;
const KINDS = { LINUX_SYSLOGS_BLOB: 'Event', HEALTH_ASSESSMENT_BLOB: 'State', LINUX_PERF_BLOB: 'Performance' } as const;
const RULES = new URL('../../grafana/prometheus/rules', import.meta.url).pathname;

async function observe(site: Site): Promise<AsyncDisposable & { readonly prometheus: Prometheus }> {
  await using started = new AsyncDisposableStack();
  const node = await startNodeExporter();
  started.defer(() => node.stop());
  const redis = await startRedisExporter(site.redisSocket);
  started.defer(() => redis.stop());
  const { metricsPort } = await site.relay.status();
  const prometheus = await startPrometheus({
    folder: join(site.folder, 'prometheus'),
    scrapeEveryMs: SCRAPE_EVERY_MS,
    evaluateEveryMs: SCRAPE_EVERY_MS,
    jobs: Object.entries({ relay: metricsPort, node: node.port, redis: redis.port }).map(([name, port]) => ({
      name,
      targets: [{ address: `127.0.0.1:${port}`, instance: 'site' }],
    })),
    ruleFiles: await alertRules(RULES),
  });
  started.defer(() => prometheus.stop());
  const parts = started.move();
  return { prometheus, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

async function scalarOf({ query }: Prometheus, expression: string): Promise<number | undefined> {
  const [sample, ...others] = await query(expression);
  assert.equal(others.length, 0, `${expression} gives one value`);
  return sample?.value;
}

async function checkMetrics(text: string): Promise<string> {
  const promtool = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [promtool.stdout, promtool.stderr]) stream.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  promtool.stdin.end(text);
  const [code] = (await once(promtool, 'close')) as [number];
  return code === 0 && said === '' ? '' : `promtool ended with ${code}: ${said}`;
}

interface Metadata {
  readonly data: Readonly<Record<string, readonly { readonly type: string; readonly help: string }[]>>;
}

test('a real Prometheus that scrapes a relay under load, over an outage, has every metric with its type, and the figures of the oracle', async (t) => {
  await using site = await startSite({ workspaces: [BANK, PLANT], sections: { metrics: { port: 0, countRecords: true } } });
  await using observers = await observe(site);
  const { prometheus } = observers;
  const oracle = createOracle();
  const machines = [...(await site.machines(3, BANK)), ...(await site.machines(3, PLANT))];
  const { metricsPort } = await site.relay.status();

  await t.test('all targets are up, and every rule is well', async () => {
    await eventually('all targets are up', async () => {
      const targets = await prometheus.targets();
      return targets.length === 3 && targets.every(({ health }) => health === 'up');
    });
    const rules = await eventually('the rules were evaluated', async () => {
      const all = await prometheus.rules();
      return all.every(({ health }) => health !== 'unknown') && all;
    });
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    );
  });

  await using fleet = startFleet({ machines, oracle, dataTypes: Object.keys(KINDS) });
  await eventually('data flows', () => oracle.count(BANK) > 100 && oracle.count(PLANT) > 100);
  await site.upstream(BANK).local.setFault({ mode: 'error', workspace: BANK });
  await eventually('Prometheus sees the outage of one, and that the other is well', async () => {
    const up = await prometheus.query('relay_upstream_up');
    return up.length === 2 && up.every(({ labels, value }) => value === (labels['workspace'] === BANK ? 0 : 1));
  });
  await eventually('Prometheus sees that data is held', async () => (await scalarOf(prometheus, `relay_upstream_held{workspace="${BANK}"}`)) === 1);
  assert.equal(await scalarOf(prometheus, `relay_retry_window_remaining_seconds{workspace="${BANK}"}`), 0);
  assert.ok(((await scalarOf(prometheus, `max(relay_cache_oldest_batch_age_seconds{workspace="${BANK}"})`)) ?? 0) > 1);
  await site.upstream(BANK).local.setFault({ mode: 'none' });
  await eventually('the workspace answers again', async () => (await scalarOf(prometheus, `relay_upstream_up{workspace="${BANK}"}`)) === 1);
  await fleet.stop();

  // A batch that nobody can read becomes a dead letter.
  const [machine] = machines;
  assert.ok(machine);
  const nonsense = await machine.post('/OperationalData.svc/PostJsonDataItems', UPLOAD_HEADERS, Buffer.from('this was never deflated'));
  assert.equal(nonsense.status, 200);
  for (const id of [BANK, PLANT]) await everythingArrives(oracle, site.upstream(id).dataFolder, id);
  await eventually('nothing is on its way', async () =>
    (await site.relay.status()).cache.workspaces.every(({ groupsWaiting, groupsInFlight }) => groupsWaiting + groupsInFlight === 0),
  );

  await t.test('its figures are the oracle’s', async () => {
    const facts = async (): Promise<readonly (readonly [string, number | undefined, number])[]> => {
      const pairs: (readonly [string, number | undefined, number])[] = [];
      for (const id of [BANK, PLANT]) {
        const of = `{workspace="${id}"}`;
        const acknowledged = oracle.count(id);
        const aside = id === BANK ? 1 : 0;
        const arrived = readArrived(site.upstream(id).dataFolder, id);
        const bytes = `sum(relay_received_bytes_total${of}) - sum(relay_delivered_bytes_total${of}) - sum(relay_balance_bytes{workspace="${id}",entry="deadLettered"})`;
        for (const [expression, expected] of [
          [`sum(relay_received_batches_total${of})`, acknowledged + aside],
          [`sum(relay_delivered_batches_total${of})`, acknowledged],
          [`sum(relay_upstream_attempts_total{workspace="${id}",outcome="delivered"})`, arrived.filter(({ repeated }) => !repeated).length],
          [`sum(relay_delivery_latency_seconds_count${of})`, acknowledged],
          [`sum(relay_cache_batches${of})`, 0],
          [`sum(relay_balance_batches{workspace="${id}",entry="received"})`, acknowledged + aside],
          [`sum(relay_balance_batches{workspace="${id}",entry="deadLettered"})`, aside],
          [`sum(relay_dead_letters${of}) or vector(0)`, aside],
          [`sum(relay_dropped_batches_total${of})`, 0],
          [`max(abs(relay_balance_unaccounted_batches${of}))`, 0],
          [bytes, 0],
          // Each body of the fleet holds three.
          [`sum(relay_received_records_total${of}) + 3 * sum(relay_received_uncounted_batches_total${of})`, 3 * acknowledged],
          [`relay_agents{workspace="${id}",state="approved"}`, 3],
        ] as const) {
          pairs.push([expression, await scalarOf(prometheus, expression), expected]);
        }
      }
      return pairs;
    };
    let last: Awaited<ReturnType<typeof facts>> = [];
    await eventually('Prometheus has the end of it', async () => {
      last = await facts();
      return last.every(([, found, expected]) => found === expected);
    }).catch(() => {});
    for (const [expression, found, expected] of last) assert.equal(found, expected, expression);
  });

  await t.test('what an operator gives up is counted from the first batch on', async () => {
    const before = oracle.count(PLANT);
    // Nothing is in flight that a purge would leave.
    await runWell(['cache', 'pause', '--workspace', PLANT, '--socket', site.relay.socket]);
    const later = startFleet({ machines: machines.slice(3), oracle, batches: 2, dataTypes: ['LINUX_PERF_BLOB'] });
    await eventually('more is cached', () => oracle.count(PLANT) === before + 6);
    await later.stop();
    await runWell(['cache', 'purge', '--workspace', PLANT, '--kind', 'Performance', '--yes', '--socket', site.relay.socket]);
    await eventually('the loss is counted', async () => {
      const lost = await scalarOf(prometheus, `sum(increase(relay_dropped_batches_total{workspace="${PLANT}",kind="Performance",reason="purged"}[1m]))`);
      return lost !== undefined && lost > 0;
    });
    assert.equal(await scalarOf(prometheus, `sum(relay_dropped_batches_total{workspace="${PLANT}",reason="purged"})`), 6);
    await runWell(['cache', 'resume', '--workspace', PLANT, '--socket', site.relay.socket]);
    await eventually('the workspace is told of it', async () => (await scalarOf(prometheus, `relay_losses_unreported_batches{workspace="${PLANT}"}`)) === 0);
  });

  await t.test('every panel of every dashboard has data, and so have the choices at its head', async () => {
    const values = { relay: 'site', workspace: '.+', kind: '.+', __rate_interval: '5s', __range: '2m' };
    const empty: string[] = [];
    for (const [file, dashboard] of Object.entries(allDashboards())) {
      const now = new Date();
      const from = new Date(now.getTime() - 90_000);
      for (const { panelTitle, refId, expr } of panelQueries(dashboard, values)) {
        // Some tell of outages alone: of an instant, too, every moment of the run is asked.
        if ((await prometheus.queryRange(expr, from, now, 1)).length === 0) empty.push(`${file}, ${panelTitle} ${refId}: ${expr}`);
      }
      for (const { name, selector } of variableQueries(dashboard, values)) if ((await prometheus.query(selector)).length === 0) empty.push(`${file}: $${name}`);
      // An annotation may have nothing to mark, but Prometheus must understand it.
      for (const { expr } of annotationQueries(dashboard, values)) await prometheus.queryRange(expr, from, now, 1);
    }
    assert.deepEqual(empty, []);
  });

  await t.test('promtool finds nothing to say, and every metric is there with its type', async () => {
    assert.equal(await checkMetrics(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()), '');
    const { data } = (await (await fetch(`${prometheus.url}/api/v1/metadata?limit_per_metric=5`)).json()) as Metadata;
    for (const { name, type, help } of Object.values(METRICS)) {
      assert.ok(
        data[name]?.some((known) => known.type === type && known.help === help),
        `${name} is a ${type}: ${JSON.stringify(data[name])}`,
      );
    }
  });
});
