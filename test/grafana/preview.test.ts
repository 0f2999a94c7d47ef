import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldSettings, Panel, PanelOptions } from '../../grafana/preview/dashboard.ts';
import { placePanels } from '../../grafana/preview/dashboard.ts';
import { drawDashboard } from '../../grafana/preview/draw-dashboard.ts';
import { drawPanel } from '../../grafana/preview/draw-panel.ts';
import { indexPage } from '../../grafana/preview/index-page.ts';
import { type PanelSeries, seriesName } from '../../grafana/preview/panel-data.ts';
import { formatValue } from '../../grafana/preview/units.ts';

const BEGINNING = 1_800_000_000;
const RANGE = { from: new Date(BEGINNING * 1000), to: new Date((BEGINNING + 60) * 1000), stepSeconds: 2, scrapeSeconds: 2 };
const BOX = { x: 0, y: 0, width: 480, height: 260 };

function series(name: string, values: readonly number[], labels: Readonly<Record<string, string>> = {}): PanelSeries {
  return { refId: 'A', name, labels, points: values.map((value, index) => [BEGINNING + index * 2, value] as const) };
}

function panel(type: string, defaults: FieldSettings = {}, options: PanelOptions = {}, more: Partial<Panel> = {}): Panel {
  const base = { id: 1, type, title: 'Oldest & newest', gridPos: { x: 0, y: 0, w: 12, h: 8 }, targets: [{ refId: 'A', expr: 'x' }] };
  return { ...base, fieldConfig: { defaults }, options, ...more };
}

function draw(one: Panel, data: readonly PanelSeries[]): string {
  const svg = drawPanel(one, { series: data, range: RANGE, marks: [{ name: 'Outages', colour: '#ff9830', from: BEGINNING + 10, to: BEGINNING + 20 }] }, BOX);
  assert.doesNotMatch(svg, /NaN|undefined|Infinity/);
  return svg;
}

describe('a panel', () => {
  it('has its title, and its description for whoever points at it', () => {
    const svg = draw(panel('stat', {}, {}, { description: 'What <it> means' }), [series('a', [1])]);
    assert.match(svg, />Oldest &amp; newest</);
    assert.match(svg, /<title>What &lt;it&gt; means<\/title>/);
  });

  it('of time series has a line for each, its legend with calculations, and the units on its axis', () => {
    const options = { legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] } };
    const svg = draw(panel('timeseries', { unit: 'bytes', custom: { fillOpacity: 20 } }, options), [
      series('demo', [0, 2048, 1024]),
      series('plant', [1, 2, 3]),
    ]);
    for (const written of ['demo', 'plant', 'Last', 'Max', '1 KiB', '2 KiB', '3 B']) assert.match(svg, new RegExp(`>${written}<`), written);
    assert.match(svg, /stroke="#73bf69"/);
    assert.match(svg, /stroke="#f2cc0c"/);
  });

  it('of time series ends a line where values are missing', () => {
    const whole = series('a', [1, 1, 1, 1, 1, 1]);
    const torn = { ...whole, points: whole.points.filter((_, index) => index !== 2 && index !== 3) };
    const lines = (svg: string): number => (svg.match(/stroke="#73bf69"[^>]*>/g) ?? []).length + (svg.match(/M/g) ?? []).length;
    assert.ok(lines(draw(panel('timeseries'), [torn])) > lines(draw(panel('timeseries'), [whole])));
  });

  it('of one figure shows it by its unit, in the colour of its threshold', () => {
    const thresholds = {
      steps: [
        { color: 'green', value: null },
        { color: 'red', value: 60 },
      ],
    };
    const svg = draw(panel('stat', { unit: 's', thresholds }, { colorMode: 'background', graphMode: 'area' }), [series('age', [0, 90])]);
    assert.match(svg, />1\.5 mins</);
    assert.match(svg, /fill="#f2495c"/);
  });

  it('of one figure shows the words and colour of its mapping', () => {
    const mappings = [{ type: 'value', options: { 1: { text: 'in reach', color: 'blue' } } }] as const;
    assert.match(draw(panel('stat', { mappings }), [series('up', [1])]), /fill="#5794f2"[^>]*>in reach</);
  });

  it('of several figures names each, by its override', () => {
    const overrides = [
      {
        matcher: { id: 'byName', options: 'b' },
        properties: [
          { id: 'unit', value: 'percentunit' },
          { id: 'displayName', value: 'Share' },
        ],
      },
    ];
    const svg = draw(panel('stat', {}, {}, { fieldConfig: { defaults: {}, overrides } }), [series('a', [1]), series('b', [0.25])]);
    assert.match(svg, />a</);
    assert.match(svg, />Share</);
    assert.match(svg, />25%</);
  });

  it('of a dial or of bars shows each value on its scale', () => {
    const settings = {
      unit: 'percentunit',
      min: 0,
      max: 1,
      thresholds: {
        steps: [
          { color: 'green', value: null },
          { color: 'orange', value: 0.7 },
        ],
      },
    };
    assert.match(draw(panel('gauge', settings), [series('cache', [0.8])]), /stroke="#ff9830"[\s\S]*>80%</);
    assert.match(draw(panel('bargauge', settings), [series('/', [0.8]), series('/var', [0.2])]), />\/var<[\s\S]*>20%</);
  });

  it('of a table has a column a label, hides what is hidden, and sorts', () => {
    const overrides = [
      { matcher: { id: 'byName', options: 'Value' }, properties: [{ id: 'displayName', value: 'Batches' }] },
      { matcher: { id: 'byName', options: 'instance' }, properties: [{ id: 'custom.hidden', value: true }] },
    ];
    const one = panel('table', {}, { sortBy: [{ displayName: 'Batches', desc: true }] }, { fieldConfig: { defaults: {}, overrides } });
    const svg = draw(one, [series('', [1], { kind: 'Event', instance: 'here' }), series('', [7], { kind: 'Alert', instance: 'here' })]);
    assert.match(svg, />kind<[\s\S]*>Alert<[\s\S]*>Event<[\s\S]*>Batches<[\s\S]*>7<[\s\S]*>1</);
    assert.doesNotMatch(svg, />here</);
  });

  it('of states has one block for each time that a state lasted', () => {
    const mappings = [{ type: 'value', options: { 0: { text: 'out of reach', color: 'red' }, 1: { text: 'in reach', color: 'green' } } }] as const;
    const svg = draw(panel('state-timeline', { mappings }, { legend: { showLegend: false } }), [series('demo', [1, 1, 1, 1, 0, 0, 0, 0, 1, 1])]);
    assert.equal(svg.match(/fill="#73bf69"/g)?.length, 2);
    assert.equal(svg.match(/fill="#f2495c"/g)?.length, 1);
  });

  it('of a histogram over time counts each bucket without the smaller ones', () => {
    const buckets = [series('0.1', [4, 4], { le: '0.1' }), series('1', [4, 6], { le: '1' }), series('+Inf', [4, 6], { le: '+Inf' })];
    const svg = draw(panel('heatmap', {}, { yAxis: { unit: 's' } } as PanelOptions), buckets);
    assert.match(svg, />≤ 100 ms</);
    assert.match(svg, />≤ 1 s</);
    assert.match(svg, />4</);
  });

  it('that nobody can draw fails by its name', () => {
    assert.throws(() => draw(panel('geomap'), [series('a', [1])]), /“Oldest & newest”.*geomap/);
  });
});

describe('a dashboard', () => {
  const dashboard = {
    uid: 'x',
    title: 'Relay: Overview',
    panels: [panel('stat'), panel('timeseries', {}, {}, { id: 2, title: 'Second', gridPos: { x: 12, y: 0, w: 12, h: 8 } })],
  };

  it('is one SVG file with all panels, and tells which have no data', () => {
    const { svg, empty } = drawDashboard(dashboard, { series: new Map([[1, [series('a', [5])]]]), marks: [], range: RANGE });
    assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(svg, />Relay: Overview</);
    assert.match(svg, />No data</);
    assert.deepEqual(empty, ['Second']);
  });

  it('lets a panel be empty that has words of its own for it', () => {
    const calm = panel('stat', { noValue: 'all answer' });
    const { svg, empty } = drawDashboard({ ...dashboard, panels: [calm] }, { series: new Map(), marks: [], range: RANGE });
    assert.match(svg, />all answer</);
    assert.deepEqual(empty, []);
  });

  it('opens rows that are shut, and moves down what is below', () => {
    const row = {
      ...panel('row', {}, {}, { id: 3, gridPos: { x: 0, y: 0, w: 24, h: 1 } }),
      collapsed: true,
      panels: [panel('stat', {}, {}, { id: 4, gridPos: { x: 0, y: 1, w: 24, h: 5 } })],
    };
    const below = panel('stat', {}, {}, { id: 5, gridPos: { x: 0, y: 1, w: 24, h: 4 } });
    assert.deepEqual(
      placePanels({ ...dashboard, panels: [row, below] }).map(({ panel: { id }, at }) => [id, at.y]),
      [
        [3, 0],
        [4, 1],
        [5, 6],
      ],
    );
  });

  it('is on the page with what its panels mean', () => {
    const page = indexPage([
      { dashboard: { ...dashboard, panels: [panel('stat', {}, {}, { description: '**What to do:** look <here>' })] }, file: 'overview.svg', empty: ['Second'] },
    ]);
    assert.match(page, /<img src="overview\.svg"/);
    assert.match(page, /<b>What to do:<\/b> look &lt;here&gt;/);
    assert.match(page, /No data: Second/);
  });
});

describe('formatValue', () => {
  const cases: readonly (readonly [value: number, unit: string, decimals: number | undefined, text: string])[] = [
    [0, 'bytes', undefined, '0 B'],
    [1536, 'bytes', undefined, '1.5 KiB'],
    [1500, 'Bps', undefined, '1.5 kB/s'],
    [0.25, 's', undefined, '250 ms'],
    [1, 's', undefined, '1 s'],
    [60, 's', undefined, '1 min'],
    [7200, 's', undefined, '2 hours'],
    [7_862_400, 's', 0, '13 weeks'],
    [0.755, 'percentunit', 0, '76%'],
    [12_345, 'short', undefined, '12.3 K'],
    [3, 'reqps', undefined, '3 req/s'],
    [3661, 'dtdurations', undefined, '1h 1m'],
    [7, 'batches', undefined, '7 batches'],
    [Number.POSITIVE_INFINITY, 'short', undefined, '∞'],
  ];
  for (const [value, unit, decimals, text] of cases) {
    it(`writes ${value} in ${unit} as ${text}`, () => assert.equal(formatValue(value, unit, decimals), text));
  }
});

describe('seriesName', () => {
  it('is what the legend says, else the labels as Prometheus writes them', () => {
    const labels = { __name__: 'up', job: 'relay', instance: 'a' };
    assert.equal(seriesName(labels, 'over {{job}}', ''), 'over relay');
    assert.equal(seriesName(labels, '', ''), 'up{job="relay", instance="a"}');
    assert.equal(seriesName({}, '', 'sum(up)'), 'sum(up)');
  });
});
