import type { PrometheusClient } from '../../src/demo/prometheus-client.ts';
import { annotationQueries, type PanelQuery, panelQueries, type QueriedDashboard } from '../source/panel-queries.ts';
import { THEME } from './colours.ts';
import { type Dashboard, type Placed, placePanels } from './dashboard.ts';
import { drawPanel, isEmpty, type PanelData } from './draw-panel.ts';
import { type AnnotationSettings, fetchMarks } from './marks.ts';
import { fetchSeries, type PanelSeries, type TimeRange } from './panel-data.ts';
import type { Mark } from './panels/drawing.ts';
import { type Box, FONT, rectangle, text } from './svg.ts';
import { formatTime } from './units.ts';

const COLUMNS = 24;
/** As Grafana lays out: a unit of height, and the gap between panels. */
const UNIT = 30;
const GAP = 8;
const HEAD = 48;

export interface Picture {
  /** A whole SVG file. */
  readonly svg: string;
  /** The titles of panels that should show something and do not. */
  readonly empty: readonly string[];
}

/** What a dashboard's panels show, by the panel's id, and what is marked on its graphs. */
export interface DashboardData {
  readonly series: ReadonlyMap<number, readonly PanelSeries[]>;
  readonly marks: readonly Mark[];
  readonly range: TimeRange;
}

/** Asks Prometheus all that a dashboard asks, for all values of its variables. */
export async function fetchDashboard(prometheus: PrometheusClient, dashboard: Dashboard & QueriedDashboard, range: TimeRange): Promise<DashboardData> {
  const values = grafanaValues(range);
  const settings: readonly AnnotationSettings[] = dashboard.annotations?.list ?? [];
  const marks = await fetchMarks(prometheus, annotationQueries(dashboard, values), settings, range);
  const series = new Map<number, readonly PanelSeries[]>();
  for (const [id, queries] of Map.groupBy(panelQueries(dashboard, values), ({ panelId }) => panelId)) {
    series.set(id, await fetchSeries(prometheus, queries.map(filled), range));
  }
  return { series, marks, range };
}

/** Draws a dashboard of this width, all its rows open. */
export function drawDashboard(dashboard: Dashboard, data: DashboardData, width = 1_400): Picture {
  const panels = placePanels(dashboard);
  const column = (width - GAP) / COLUMNS;
  const boxOf = ({ at: { x, y, w, h } }: Placed): Box => ({
    x: GAP + x * column,
    y: HEAD + y * (UNIT + GAP),
    width: w * column - GAP,
    height: h * (UNIT + GAP) - GAP,
  });
  const dataOf = ({ panel }: Placed): PanelData => ({ series: data.series.get(panel.id) ?? [], range: data.range, marks: data.marks });
  const height = HEAD + Math.max(...panels.map(({ at }) => at.y + at.h)) * (UNIT + GAP);
  const drawn = panels.map((one) => drawPanel(one.panel, dataOf(one), boxOf(one)));
  const empty = panels.filter((one) => isEmpty(one.panel, dataOf(one).series)).map(({ panel }) => panel.title ?? `panel ${panel.id}`);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="${FONT}">${rectangle({ x: 0, y: 0, width, height }, THEME.canvas)}${head(dashboard, data.range, width)}${drawn.join('')}</svg>\n`;
  return { svg, empty };
}

function head({ title }: Dashboard, { from, to }: TimeRange, width: number): string {
  const time = `${from.toISOString().slice(0, 10)} ${formatTime(from.getTime() / 1000)} to ${formatTime(to.getTime() / 1000)} UTC`;
  return text(GAP + 4, 31, title, { size: 20, weight: 500 }) + text(width - GAP - 4, 30, time, { size: 13, colour: THEME.faint, anchor: 'end' });
}

// As Grafana fills them in; a rate wants four scrapes.
function grafanaValues({ from, to, stepSeconds, scrapeSeconds }: TimeRange): Readonly<Record<string, string>> {
  const seconds = Math.round((to.getTime() - from.getTime()) / 1000);
  const milliseconds = { __interval_ms: String(stepSeconds * 1000), __range_ms: String(seconds * 1000) };
  return {
    ...milliseconds,
    __interval: `${stepSeconds}s`,
    __rate_interval: `${Math.max(4 * scrapeSeconds, stepSeconds + scrapeSeconds)}s`,
    __range: `${seconds}s`,
    __range_s: String(seconds),
  };
}

function filled({ refId, expr, legendFormat, kind }: PanelQuery) {
  return { refId, expression: expr, legend: legendFormat, isInstant: kind === 'instant' };
}
