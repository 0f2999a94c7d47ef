import type { Labels, PrometheusClient } from '../../src/demo/prometheus-client.ts';
import type { Panel } from './dashboard.ts';

/** One series of a panel, with the name that its legend gives it. */
export interface PanelSeries {
  readonly refId: string;
  readonly name: string;
  readonly labels: Labels;
  /** Oldest first; at least one, and none without a value. */
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

export interface TimeRange {
  readonly from: Date;
  readonly to: Date;
  readonly stepSeconds: number;
  /** How often Prometheus scrapes. */
  readonly scrapeSeconds: number;
}

/** One query of a panel as Prometheus takes it, its variables filled in. */
export interface FilledQuery {
  readonly refId: string;
  readonly expression: string;
  readonly isInstant: boolean;
  readonly legend: string;
}

/** Runs a panel's queries. A series that has no value in the whole range is left out. */
export async function fetchSeries(prometheus: PrometheusClient, queries: readonly FilledQuery[], range: TimeRange): Promise<readonly PanelSeries[]> {
  const found = await Promise.all(queries.map((query) => fetchQuery(prometheus, query, range)));
  return found.flat();
}

async function fetchQuery(
  prometheus: PrometheusClient,
  { refId, expression, isInstant, legend }: FilledQuery,
  range: TimeRange,
): Promise<readonly PanelSeries[]> {
  const series = isInstant
    ? (await prometheus.query(expression, range.to)).map(({ labels, at, value }) => ({ labels, points: [[at, value] as const] }))
    : await prometheus.queryRange(expression, range.from, range.to, range.stepSeconds);
  return series
    .map(({ labels, points }) => ({ refId, labels, name: seriesName(labels, legend, expression), points: points.filter(([, value]) => !Number.isNaN(value)) }))
    .filter(({ points }) => points.length > 0)
    .sort((one, other) => one.name.localeCompare(other.name));
}

/** The name of a series: by the legend's format, else as Prometheus writes it. */
export function seriesName(labels: Labels, legend: string, expression: string): string {
  if (legend !== '' && legend !== '__auto') return legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, label: string) => labels[label] ?? '');
  const { __name__: name = '', ...others } = labels;
  const entries = Object.entries(others);
  if (entries.length === 0) return name === '' ? expression : name;
  const [only] = entries;
  if (legend === '__auto' && entries.length === 1 && only) return only[1];
  return `${name}{${entries.map(([label, value]) => `${label}="${value}"`).join(', ')}}`;
}

/** The seconds from one value to the next: no fewer than between scrapes, and so many that a series has `points` values at most. */
export function stepFor(from: Date, to: Date, points: number, scrapeSeconds: number): number {
  return Math.max(scrapeSeconds, Math.ceil((to.getTime() - from.getTime()) / 1000 / points));
}

/** Whether a panel shows data of its own at all. */
export function needsData({ type, targets = [] }: Panel): boolean {
  return type !== 'row' && type !== 'text' && targets.some(({ hide }) => hide !== true);
}

/** One value for a whole series, by the calculation that Grafana names so. */
export function reduce(points: PanelSeries['points'], calculation = 'lastNotNull'): number {
  const values = points.map(([, value]) => value);
  const total = values.reduce((sum, value) => sum + value, 0);
  switch (calculation) {
    case 'max':
      return Math.max(...values);
    case 'min':
      return Math.min(...values);
    case 'mean':
      return total / values.length;
    case 'sum':
      return total;
    case 'first':
    case 'firstNotNull':
      return values[0] ?? Number.NaN;
    case 'count':
      return values.length;
    case 'range':
      return Math.max(...values) - Math.min(...values);
    case 'diff':
    case 'delta':
      return (values.at(-1) ?? 0) - (values[0] ?? 0);
    default:
      return values.at(-1) ?? Number.NaN;
  }
}
