import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server } from '@hapi/hapi';
import { createMetrics, METRICS, type MetricDeclaration } from '../../src/metrics/catalogue.ts';
import { readGauges } from '../../src/metrics/gauges.ts';
import { healthPlugin, metricsPlugin, type Readiness } from '../../src/metrics/plugin.ts';
import { metricTable } from '../../src/metrics/reference.ts';
import { BANK, createGroupRig, enrolled, newAgentId, PLANT, START } from '../management-group/rig.ts';

const ALL: readonly MetricDeclaration[] = Object.values(METRICS);

describe('the catalogue of metrics', () => {
  for (const { name, type, labels, help, buckets } of ALL) {
    it(`follows Prometheus's rules in ${name}`, () => {
      assert.match(name, /^relay_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), type === 'counter');
      assert.doesNotMatch(name, /_(count|sum|bucket)$|_(ms|milliseconds|minutes|kilobytes|mb)(_|$)/);
      if (type === 'histogram') assert.match(name, /_(seconds|bytes|ratio)$/);
      assert.equal(buckets !== undefined, type === 'histogram');
      assert.deepEqual(
        buckets,
        buckets?.toSorted((a, b) => a - b),
      );
      assert.match(help, /^[A-Z0-9a-z].{10,}\.$/);
      for (const label of labels) assert.match(label, /^[a-z]+$/);
    });
  }

  it('names nothing twice', () => assert.equal(new Set(ALL.map(({ name }) => name)).size, ALL.length));

  it('is all in the exposition from the first scrape on, and nothing else of ours', async () => {
    const text = await createMetrics().expose();
    for (const { name, type, help } of ALL) assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    const exposed = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    const known = new Set(ALL.map(({ name }) => name));
    assert.deepEqual(
      exposed.filter((name) => !known.has(name) && !/^relay_(process|nodejs)_/.test(name)),
      [],
    );
  });

  it('takes exactly the labels it declares', async () => {
    const metrics = createMetrics();
    const labelsOf = (labels: readonly string[]): Record<string, string> => Object.fromEntries(labels.map((label) => [label, 'x']));
    for (const [key, { type, labels }] of Object.entries(METRICS)) {
      if (type === 'counter') metrics.count(key as 'refused', labelsOf(labels), 2);
      else if (type === 'gauge') metrics.set(key as 'connections', labelsOf(labels), 2);
      else metrics.observe(key as 'acknowledgement', labelsOf(labels), 0.02);
    }
    const text = await metrics.expose();
    for (const { name, type, labels } of ALL) {
      const written = labels.length === 0 ? '' : `{${labels.map((label) => `${label}="x"`).join(',')}}`;
      assert.ok(text.includes(type === 'histogram' ? `\n${name}_count${written} 1\n` : `\n${name}${written} 2\n`), name);
    }
    assert.throws(() => metrics.count('refused', { cause: 'x' }));
  });

  it('is kept apart for two relays in one process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.count('refused', { reason: 'x' });
    assert.doesNotMatch(await other.expose(), /refused_total\{/);
  });

  it('is printed for the README with a row of four cells for each metric', () => {
    const [heading, line, ...rows] = metricTable().split('\n');
    assert.deepEqual([heading, line], ['| metric | type | labels | meaning |', '| --- | --- | --- | --- |']);
    assert.equal(rows.length, ALL.length);
    for (const row of rows) assert.match(row, /^\| `relay_[a-z_]+` \| (counter|gauge|histogram) \| (`[a-z]+`(, `[a-z]+`)*)? \| [^|]+\. \|$/);
    assert.ok(rows.some((row) => row.startsWith('| `relay_received_batches_total` | counter | `workspace`, `kind` | ')));
  });
});

describe('the gauges that are read at a scrape', () => {
  it('say what cache and registry say, also when it is nothing', async () => {
    await using rig = await createGroupRig();
    rig.group.registry.enrol(enrolled(newAgentId()));
    const metrics = createMetrics();
    const nothing = { batches: 0, bytes: 0 };
    const balance = {
      kind: 'Event',
      recovered: nothing,
      received: { batches: 5, bytes: 50 },
      delivered: { batches: 2, bytes: 20 },
      cached: { batches: 3, bytes: 30 },
      deadLettered: nothing,
      dropped: nothing,
    } as const;
    metrics.beforeScrape(() =>
      readGauges(metrics, {
        stats: {
          workspaces: [
            {
              workspaceId: BANK,
              upstream: { state: 'resting', reason: 'x' },
              balance: [balance],
              oldestAt: START - 90_000,
              groupsWaiting: 1,
              groupsInFlight: 0,
            },
            { workspaceId: PLANT, upstream: { state: 'awake' }, balance: [], groupsWaiting: 0, groupsInFlight: 0 },
          ],
          usedBytes: 30,
          limitBytes: 100,
          ready: { ok: true },
        },
        agentsOf: rig.group.registry.countByState,
        certificateEndsAt: START + 1_000,
        now: START,
      }),
    );
    const lines = new Set((await metrics.expose()).split('\n'));
    for (const line of [
      'relay_cache_used_bytes 30',
      'relay_cache_limit_bytes 100',
      `relay_certificate_expiry_timestamp_seconds{role="server"} ${START / 1000 + 1}`,
      `relay_upstream_awake{workspace="${BANK}"} 0`,
      `relay_upstream_awake{workspace="${PLANT}"} 1`,
      `relay_cache_oldest_batch_age_seconds{workspace="${BANK}"} 90`,
      `relay_cache_oldest_batch_age_seconds{workspace="${PLANT}"} 0`,
      `relay_agents{workspace="${BANK}",state="pending"} 1`,
      `relay_agents{workspace="${BANK}",state="suspended"} 0`,
      `relay_cache_batches{workspace="${BANK}",kind="Event"} 3`,
      `relay_cache_bytes{workspace="${BANK}",kind="Event"} 30`,
      `relay_balance_batches{workspace="${BANK}",kind="Event",entry="received"} 5`,
      `relay_balance_batches{workspace="${BANK}",kind="Event",entry="dropped"} 0`,
    ]) {
      assert.ok(lines.has(line), line);
    }
  });
});

describe('the metrics server', () => {
  it('serves the exposition as Prometheus reads it, and says whether the relay is ready', async () => {
    let ready: Readiness = { ok: true };
    const server = new Server({ debug: false });
    await server.register([
      { plugin: metricsPlugin, options: { metrics: createMetrics() } },
      { plugin: healthPlugin, options: { ready: () => ready } },
    ]);
    const scrape = await server.inject('/metrics');
    assert.equal(scrape.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(scrape.payload, /relay_process_cpu_seconds_total/);
    assert.deepEqual((await server.inject('/health/live')).result, { status: 'live' });
    assert.deepEqual((await server.inject('/health/ready')).result, { status: 'ready' });
    ready = { ok: false, reason: 'Redis does not answer' };
    const refused = await server.inject('/health/ready');
    assert.deepEqual([refused.statusCode, refused.result], [503, { status: 'not ready', reason: 'Redis does not answer' }]);
  });
});
