import type { Point, Series, TimeSeries } from './query-series.ts';
import { cut } from './query-table.ts';

export interface Paper {
  /** How wide the chart may be, in characters. */
  readonly columns: number;
  /** Without block characters. */
  readonly ascii: boolean;
}

/** What a cell is filled with, from a little to all of it. */
const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII = ['.', ':', '#'];

const HEIGHT = 8;
const HEIGHT_OF_MANY = 3;
const MOST_SERIES = 8;
const LEAST_COLUMNS = 20;
const MOST_COLUMNS = 200;

/**
 * The chart as lines: a title, for each series (eight at most) its columns over one scale that holds zero, and the first and last moment (UTC). A
 * moment without a value is empty, a value of zero is a line at the foot.
 */
export function drawChart({ title, series }: TimeSeries, { columns, ascii }: Paper): string[] {
  const drawn = largest(series);
  const scale = scaleOf(drawn);
  const labels = [shortNumber(scale.most), shortNumber(scale.least)];
  const edge = Math.max(...labels.map((label) => label.length));
  const width = Math.min(Math.max(columns, LEAST_COLUMNS), MOST_COLUMNS);
  const grid = { edge, plot: width - edge - 2, height: series.length === 1 ? HEIGHT : HEIGHT_OF_MANY, marks: ascii ? ASCII : BLOCKS, wall: ascii ? '|' : '┤' };
  const left = series.length - drawn.length;
  return [
    cut(plain(title), width),
    ...drawn.flatMap((each) => [...(series.length === 1 ? [] : [cut(plain(each.name) || '(empty)', width)]), ...plotOf(each, scale, grid, labels)]),
    timesLine(scale, grid),
    ...(left === 0 ? [] : [`${left} more series are not drawn.`]),
  ];
}

interface Scale {
  readonly from: number;
  readonly to: number;
  /** The usual time from one point to the next. */
  readonly step: number;
  readonly least: number;
  readonly most: number;
}

interface Grid {
  readonly edge: number;
  readonly plot: number;
  readonly height: number;
  readonly marks: readonly string[];
  readonly wall: string;
}

// Those with the most in all, in the order in which they came.
function largest(series: readonly Series[]): readonly Series[] {
  const total = ({ points }: Series): number => points.reduce((sum, { value }) => sum + Math.abs(value), 0);
  const kept = new Set([...series].sort((a, b) => total(b) - total(a)).slice(0, MOST_SERIES));
  return series.filter((each) => kept.has(each));
}

function scaleOf(series: readonly Series[]): Scale {
  let [from, to, least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  const gaps: number[] = [];
  for (const { points } of series) {
    for (const [at, { time, value }] of points.entries()) {
      [from, to, least, most] = [Math.min(from, time), Math.max(to, time), Math.min(least, value), Math.max(most, value)];
      const gap = time - (points[at - 1]?.time ?? time);
      if (gap > 0) gaps.push(gap);
    }
  }
  const step = gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 1;
  return { from, to: to + step, step, least, most: most === least ? least + 1 : most };
}

function plotOf({ points }: Series, scale: Scale, { edge, plot, height, marks, wall }: Grid, labels: readonly string[]): string[] {
  const levels = valuesAt(points, scale, plot).map((value) =>
    value === undefined ? 0 : Math.max(1, Math.round(((value - scale.least) / (scale.most - scale.least)) * height * marks.length)),
  );
  return Array.from({ length: height }, (_, row) => {
    const below = (height - 1 - row) * marks.length;
    const cells = levels.map((level) => (level <= below ? ' ' : marks[Math.min(level - below, marks.length) - 1]));
    const label = row === 0 ? labels[0] : row === height - 1 ? labels[1] : '';
    return `${(label ?? '').padStart(edge)} ${wall}${cells.join('')}`.trimEnd();
  });
}

/** What stands in each column: the mean of the points in its time; without one the last point, for as long as the usual step. */
function valuesAt(points: readonly Point[], { from, to, step }: Scale, columns: number): (number | undefined)[] {
  let next = 0;
  return Array.from({ length: columns }, (_, column) => {
    const [begin, end] = [from + ((to - from) * column) / columns, from + ((to - from) * (column + 1)) / columns];
    const first = next;
    let sum = 0;
    for (let point = points[next]; point && point.time < end; point = points[next]) {
      sum += point.value;
      next += 1;
    }
    if (next > first) return sum / (next - first);
    const last = points[next - 1];
    return last && begin < last.time + step ? last.value : undefined;
  });
}

function timesLine({ from, to, step }: Scale, { edge, plot }: Grid): string {
  const last = to - step;
  const [first, second] = [from, last].map((time) => `${new Date(time).toISOString().slice(0, last - from < 120_000 ? 19 : 16)}Z`) as [string, string];
  const gap = plot - first.length - second.length;
  return `${' '.repeat(edge + 2)}${first}${gap < 1 ? '' : ' '.repeat(gap) + second}`;
}

/** Four digits are enough. */
function shortNumber(value: number): string {
  return String(Number.isInteger(value) && Math.abs(value) < 1e9 ? value : Number(value.toPrecision(4)));
}

function plain(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}
