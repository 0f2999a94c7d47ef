import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { METRICS } from '../../src/metrics/catalogue.ts';
import type { MetricDeclaration } from '../../src/metrics/declaration.ts';
import { createMetrics } from '../../src/metrics/metrics.ts';
import { metricTable } from '../../src/metrics/reference.ts';

const ALL: readonly MetricDeclaration[] = Object.values(METRICS);

describe('the catalogue of metrics', () => {
  for (const { name, type, unit, labels, help, buckets } of ALL) {
    it(`follows Prometheus's rules in ${name}`, () => {
      assert.match(name, /^relay_[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), type === 'counter');
      assert.doesNotMatch(name, /_(count|sum|bucket)$|_(ms|milliseconds|minutes|kilobytes|mb)(_|$)/);
      for (const base of ['seconds', 'bytes', 'ratio'] as const) {
        assert.equal(name.replace(/_total$/, '').endsWith(`_${base}`), unit === base, `the unit stands in the name: ${unit}`);
      }
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

  it('has an agent as a label in the one list that is capped', () => {
    const byAgent = ALL.filter(({ labels }) => labels.some((label) => /agent|host|address|batch/.test(label)));
    assert.deepEqual(
      byAgent.map(({ name }) => name),
      ['relay_agent_last_seen_timestamp_seconds'],
    );
  });

  it('is all in the exposition from the first scrape on, and nothing else but what the process tells of itself', async () => {
    const text = await createMetrics().expose();
    for (const { name, type, help } of ALL) assert.ok(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name);
    const exposed = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    const known = new Set(ALL.map(({ name }) => name));
    assert.deepEqual(
      exposed.filter((name) => !known.has(name) && !/^(process|nodejs)_/.test(name)),
      [],
    );
  });

  it('takes exactly the labels it declares', async () => {
    const metrics = createMetrics();
    const labelsOf = (labels: readonly string[]): never => Object.fromEntries(labels.map((label) => [label, 'x'])) as never;
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
    assert.throws(() => metrics.count('refused', { cause: 'x' } as never));
  });

  it('calls workspaces by their names', async () => {
    const metrics = createMetrics({ workspaceName: (id) => (id === '1' ? 'the bank' : id) });
    metrics.count('repeats', { workspace: '1' });
    metrics.set('certificateExpiry', { role: 'server', workspace: '' }, 5);
    const text = await metrics.expose();
    assert.match(text, /^relay_intake_repeats_total\{workspace="the bank"\} 1$/m);
    assert.match(text, /^relay_certificate_expiry_timestamp_seconds\{role="server",workspace=""\} 5$/m);
  });

  it('is kept apart for two relays in one process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.count('refused', { reason: 'x' });
    assert.doesNotMatch(await other.expose(), /refused_total\{/);
  });

  it('is printed for the README with a row of five cells for each metric', () => {
    const [heading, line, ...rows] = metricTable().split('\n');
    assert.deepEqual([heading, line], ['| metric | type | unit | labels | meaning |', '| --- | --- | --- | --- | --- |']);
    assert.equal(rows.length, ALL.length);
    for (const row of rows) assert.match(row, /^\| `relay_[a-z_]+` \| (counter|gauge|histogram) \| [a-z ]+ \| (`[a-z]+`(, `[a-z]+`)*)? \| [^|]+\. \|$/);
    assert.ok(rows.some((row) => row.startsWith('| `relay_received_batches_total` | counter | batches | `workspace`, `kind` | ')));
  });
});
