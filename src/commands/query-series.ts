import { cellText, type QueryResult } from './query-answer.ts';

export interface Point {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly value: number;
}

export interface Series {
  /** Empty for the only one. */
  readonly name: string;
  /** The oldest first. */
  readonly points: readonly Point[];
}

/** What a chart shows. */
export interface TimeSeries {
  readonly title: string;
  readonly series: readonly Series[];
}

export type ReadSeries = { readonly ok: true; readonly value: TimeSeries } | { readonly ok: false; readonly problem: string };

const NUMBERS: ReadonlySet<string> = new Set(['int', 'long', 'real', 'decimal']);
const NAMES: ReadonlySet<string> = new Set(['string', 'guid', 'bool', 'dynamic']);

/** The first column of numbers over the first of times, a series for each value of the first other column. Rows without a time or a number are left out. */
export function seriesOf({ columns, rows, render }: QueryResult): ReadSeries {
  const [time, value, name] = [(type: string) => type === 'datetime', (type: string) => NUMBERS.has(type), (type: string) => NAMES.has(type)].map((fits) =>
    columns.findIndex(({ type }) => fits(type)),
  ) as [number, number, number];
  if (time < 0 || value < 0) return { ok: false, problem: `A chart needs a column of times and one of numbers, and there is ${typesOf(columns)}.` };
  const byName = new Map<string, Point[]>();
  for (const row of rows) {
    const point = { time: Date.parse(cellText(row[time])), value: row[value] === null ? Number.NaN : Number(row[value]) };
    if (!Number.isFinite(point.time) || !Number.isFinite(point.value)) continue;
    const series = cellText(row[name]);
    const points = byName.get(series);
    if (points) points.push(point);
    else byName.set(series, [point]);
  }
  if (byName.size === 0) return { ok: false, problem: 'There is nothing to draw: no row has a time and a number.' };
  const series = [...byName].map(([each, points]) => ({ name: each, points: points.sort((a, b) => a.time - b.time) }));
  return { ok: true, value: { title: titleOf(render?.title, `${columns[value]?.name} by ${columns[time]?.name}`), series } };
}

function titleOf(asked: unknown, otherwise: string): string {
  return typeof asked === 'string' && asked !== '' ? asked : otherwise;
}

function typesOf(columns: QueryResult['columns']): string {
  return columns.length === 0
    ? 'none'
    : columns
        .map(({ name, type }) => `${name} (${type})`)
        .join(', ')
        .slice(0, 300);
}
