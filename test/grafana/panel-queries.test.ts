import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { annotationQueries, panelQueries, variableQueries, withValues } from '../../grafana/source/panel-queries.ts';

const dashboard = {
  panels: [
    { id: 1, title: 'Now', type: 'stat', targets: [{ refId: 'A', expr: 'up{instance=~"$relay"}', instant: true, legendFormat: 'up' }] },
    {
      id: 2,
      title: 'Folded',
      type: 'row',
      panels: [{ id: 3, title: 'Heat', type: 'heatmap', targets: [{ refId: 'B', expr: 'rate(a[$__rate_interval])', range: true, format: 'heatmap' }] }],
    },
  ],
  templating: {
    list: [
      { name: 'datasource', type: 'datasource', query: 'prometheus' },
      { name: 'relay', type: 'query', query: { query: 'label_values(up, instance)' }, allValue: '.+' },
      { name: 'workspace', type: 'query', query: 'label_values(info{instance=~"$relay"}, workspace)' },
    ],
  },
  annotations: { list: [{ name: 'built in' }, { name: 'Outages', expr: '1 - reach{instance=~"$relay"}' }] },
};

describe('panelQueries', () => {
  it('lists the queries of all panels, those in rows too, and takes all where nothing is chosen', () => {
    assert.deepEqual(panelQueries(dashboard), [
      { panelId: 1, panelTitle: 'Now', panelType: 'stat', refId: 'A', expr: 'up{instance=~".+"}', legendFormat: 'up', kind: 'instant', format: 'time_series' },
      { panelId: 3, panelTitle: 'Heat', panelType: 'heatmap', refId: 'B', expr: 'rate(a[1m])', legendFormat: '', kind: 'range', format: 'heatmap' },
    ]);
  });

  it('puts in what was chosen', () => {
    const [now, heat] = panelQueries(dashboard, { relay: 'a|b', __rate_interval: '20s' });
    assert.deepEqual([now?.expr, heat?.expr], ['up{instance=~"a|b"}', 'rate(a[20s])']);
  });
});

describe('variableQueries', () => {
  it('takes label_values apart, with the choices before it put in', () => {
    assert.deepEqual(variableQueries(dashboard, { relay: 'one' }), [
      { name: 'relay', query: 'label_values(up, instance)', selector: 'up', label: 'instance' },
      { name: 'workspace', query: 'label_values(info{instance=~"one"}, workspace)', selector: 'info{instance=~"one"}', label: 'workspace' },
    ]);
  });
});

describe('annotationQueries', () => {
  it('leaves out what Grafana marks by itself', () => {
    assert.deepEqual(annotationQueries(dashboard), [{ name: 'Outages', expr: '1 - reach{instance=~".+"}' }]);
  });
});

describe('withValues', () => {
  it('knows every way to write a variable', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's way to write a variable
    assert.equal(withValues('$a ${a} ${a:regex} [[a]] $ab', { a: '1', ab: '2' }), '1 1 1 1 2');
  });

  it('leaves Prometheus’s own templates and the end of a regular expression alone', () => {
    assert.equal(withValues('{{workspace}} x=~"a$"', {}), '{{workspace}} x=~"a$"');
  });

  it('refuses a variable without a value, and names it', () => {
    assert.throws(() => withValues('up{instance=~"$rely"}', { relay: '.*' }), /the variable \$rely, which has no value/);
  });
});
