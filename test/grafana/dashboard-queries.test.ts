import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allDashboards } from '../../grafana/source/dashboards.ts';
import { FOREIGN_METRICS } from '../../grafana/source/foreign-metrics.ts';
import { annotationQueries, panelQueries, variableQueries } from '../../grafana/source/panel-queries.ts';
import { METRICS } from '../../src/metrics/catalogue.ts';
import { problemsOf, readExpression } from '../support/promql.ts';

interface Asked {
  readonly by: string;
  readonly expr: string;
}

/** Metrics that no dashboard shows, and why. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  relay_balance_bytes: 'the balance is shown in batches, in which it is exact; bytes are there as received, delivered and dropped',
};

const dashboards = Object.entries(allDashboards());
const asked: readonly Asked[] = dashboards.flatMap(([name, dashboard]) => [
  ...panelQueries(dashboard).map(({ panelTitle, refId, expr }) => ({ by: `${name}: “${panelTitle}” ${refId}`, expr })),
  ...annotationQueries(dashboard).map((one) => ({ by: `${name}: annotation ${one.name}`, expr: one.expr })),
  ...variableQueries(dashboard).map((one) => ({ by: `${name}: variable ${one.name}`, expr: one.selector })),
]);
const metricsIn = (expr: string): readonly string[] => readExpression(expr).selectors.map(({ metric }) => metric);
const used = new Set(asked.flatMap(({ expr }) => metricsIn(expr)));

describe('queries of the dashboards', () => {
  it('are PromQL, ask for metrics of the catalogue, and narrow them by labels that these have', () => {
    const problems = asked.flatMap(({ by, expr }) => problemsOf(expr).map((problem) => `${by}: ${problem}`));
    assert.deepEqual(problems, []);
  });

  it('ask of other programs only for the metrics that are declared', () => {
    const foreign = [...used].filter((metric) => !metric.startsWith('relay_'));
    assert.deepEqual(foreign.sort(), [...FOREIGN_METRICS].sort());
  });

  it('show every metric of the catalogue, but for those with a reason', () => {
    const isUsed = (name: string): boolean => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`].some((one) => used.has(one));
    const hidden = Object.values(METRICS).flatMap(({ name }) => (isUsed(name) ? [] : [name]));
    assert.deepEqual(hidden, Object.keys(NOT_SHOWN));
  });

  it('follow the choices at the head: each metric is narrowed by its relay, and by its workspace where it has one', () => {
    const labels = new Map<string, readonly string[]>(Object.values(METRICS).map((metric) => [metric.name, metric.labels]));
    const free = asked.flatMap(({ by, expr }) =>
      readExpression(expr).selectors.flatMap((selector) => {
        const own = labels.get(selector.metric.replace(/_(bucket|sum|count)$/, '')) ?? labels.get(selector.metric);
        if (own === undefined || by.includes(': variable ')) return [];
        const needed = ['instance', ...own.filter((label) => label === 'workspace' && selector.metric !== 'relay_workspace_info')];
        return needed.filter((label) => !selector.labels.includes(label)).map((label) => `${by}: ${selector.metric} by ${label}`);
      }),
    );
    assert.deepEqual(free, []);
  });

  it('take rates over the interval that Grafana gives, so that no scrape interval breaks them', () => {
    const sources = dashboards.flatMap(([, dashboard]) => panelQueries(dashboard, { __rate_interval: '61s', __range: '62s' }));
    const windows = sources.flatMap(({ expr }) => [...expr.matchAll(/\[([^\]]+)\]/g)].map(([, window]) => window));
    assert.deepEqual([...new Set(windows)].sort(), ['61s', '62s']);
  });

  it('of tiles and tables are for now, those of graphs for the time that is shown', () => {
    for (const [name, dashboard] of dashboards) {
      for (const { panelTitle, panelType, kind } of panelQueries(dashboard)) {
        if (['timeseries', 'state-timeline', 'heatmap'].includes(panelType)) assert.equal(kind, 'range', `${name}: ${panelTitle}`);
        if (['table', 'bargauge', 'gauge'].includes(panelType)) assert.equal(kind, 'instant', `${name}: ${panelTitle}`);
      }
    }
  });

  it('give every series of a graph a name', () => {
    const isNamed = ['timeseries', 'state-timeline', 'heatmap', 'bargauge', 'stat'];
    const nameless = dashboards.flatMap(([, dashboard]) => panelQueries(dashboard).filter((one) => isNamed.includes(one.panelType) && one.legendFormat === ''));
    assert.deepEqual(
      nameless.map(({ panelTitle }) => panelTitle),
      [],
    );
  });
});
