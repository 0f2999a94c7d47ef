import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { allDashboards, dashboardText } from '../../grafana/source/dashboards.ts';
import { DASHBOARDS } from '../../grafana/source/links.ts';

const FOLDER = new URL('../../grafana/dashboards/', import.meta.url);
/** What a person looks through without losing the thread: two rows of tiles and a few graphs. */
const MOST_PANELS = 17;
const TYPES = ['bargauge', 'gauge', 'heatmap', 'stat', 'state-timeline', 'table', 'timeseries'];

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

const dashboards = Object.entries(allDashboards());
const panelsOf = ([, { panels = [] }]: (typeof dashboards)[number]) => panels.map((panel) => panel as Extract<typeof panel, { targets?: unknown }>);
const sentencesOf = (text: string): number => text.match(/[.?!](\s|$)/g)?.length ?? 0;

function isApart(one: Place, other: Place): boolean {
  return one.x + one.w <= other.x || other.x + other.w <= one.x || one.y + one.h <= other.y || other.y + other.h <= one.y;
}

describe('dashboards', () => {
  it('stand in their folder as the source makes them, and nothing else does', () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), dashboards.map(([name]) => `${name}.json`).sort());
    for (const [name, dashboard] of dashboards) {
      const written = readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
      assert.ok(written === dashboardText(dashboard), `grafana/dashboards/${name}.json is not current: run npm run grafana:dashboards`);
    }
  });

  it('are the five whose addresses the links and the alerts use', () => {
    assert.deepEqual(dashboards.map(([, { uid }]) => uid).sort(), DASHBOARDS.map(({ uid }) => uid).sort());
  });

  for (const named of dashboards) {
    const [name, dashboard] = named;
    const panels = panelsOf(named);

    it(`${name}: has few panels, of known types, each with an id of its own`, () => {
      assert.ok(panels.length <= MOST_PANELS, `${panels.length} panels`);
      assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
      for (const { title, type } of panels) assert.ok(TYPES.includes(type), `“${title}” is a ${type}`);
    });

    it(`${name}: places its panels side by side and without gaps in 24 columns`, () => {
      const places = panels.map(({ gridPos }) => gridPos as Place);
      for (const [index, place] of places.entries()) {
        assert.ok(place.x >= 0 && place.x + place.w <= 24, `“${panels[index]?.title}” is wider than the dashboard`);
        for (const other of places.slice(index + 1)) assert.ok(isApart(place, other), `“${panels[index]?.title}” overlaps another`);
      }
      const covered = places.reduce((sum, { w, h }) => sum + w * h, 0);
      assert.equal(covered, 24 * Math.max(...places.map(({ y, h }) => y + h)));
    });

    it(`${name}: says of every panel what it means and what to do`, () => {
      assert.ok(sentencesOf(dashboard.description ?? '') >= 1);
      for (const { title = '', description = '' } of panels) {
        assert.notEqual(title, '');
        const [meaning = '', action = ''] = description.split('**What to do:**');
        assert.ok(sentencesOf(meaning) >= 1 && sentencesOf(action) >= 1 && sentencesOf(description) >= 2, `“${title}”: ${description}`);
      }
      assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length, 'two panels have the same title');
    });

    it(`${name}: gives every figure a unit and colours`, () => {
      for (const { title, type, fieldConfig } of panels) {
        const { unit, mappings = [], thresholds } = fieldConfig?.defaults ?? {};
        const columns = (fieldConfig?.overrides ?? []).flatMap(({ properties }) => properties.map(({ id }) => id));
        if (type === 'table')
          assert.ok(columns.includes('unit') || columns.every((id) => id === 'custom.hidden' || id === 'displayName'), `“${title}” has no unit`);
        else assert.ok((unit !== undefined && unit !== 'none') || mappings.length > 0, `“${title}” has neither unit nor mapping`);
        if (['stat', 'gauge', 'bargauge'].includes(type)) assert.ok((thresholds?.steps ?? []).length > 0, `“${title}” has no thresholds`);
      }
    });

    it(`${name}: leads to all other dashboards and keeps time and choices`, () => {
      const links = dashboard.links ?? [];
      assert.deepEqual(
        links.map(({ url }) => url).sort(),
        DASHBOARDS.filter(({ uid }) => uid !== dashboard.uid)
          .map(({ uid }) => `/d/${uid}`)
          .sort(),
      );
      for (const { title, keepTime, includeVars } of links) assert.ok(keepTime && includeVars, `the link to “${title}” forgets what was chosen`);
    });

    it(`${name}: lets Prometheus, relay and workspace be chosen, several or all`, () => {
      const variables = dashboard.templating.list ?? [];
      assert.deepEqual(
        variables.slice(0, 3).map(({ name }) => name),
        ['datasource', 'relay', 'workspace'],
      );
      for (const { name, multi, includeAll, allValue } of variables.slice(1)) {
        assert.deepEqual({ name, multi, includeAll, allValue }, { name, multi: true, includeAll: true, allValue: '.*' });
      }
    });

    it(`${name}: asks the chosen Prometheus, whoever asks`, () => {
      const asked = [...panels.flatMap(({ targets = [] }) => targets), ...(dashboard.annotations.list ?? [])].map(({ datasource }) => datasource);
      const queried = (dashboard.templating.list ?? []).filter(({ type }) => type === 'query').map(({ datasource }) => datasource);
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana replaces it
      for (const one of [...asked, ...queried]) assert.deepEqual(one, { type: 'prometheus', uid: '${datasource}' });
    });
  }
});
