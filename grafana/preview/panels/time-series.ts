import type { EChartsOption, SeriesOption, YAXisComponentOption as YAXisOption } from 'echarts';
import { chart } from '../chart.ts';
import { colourNamed, seriesColour, THEME } from '../colours.ts';
import type { FieldSettings, PanelOptions } from '../dashboard.ts';
import { customOf, display } from '../field.ts';
import { type Legend, type LegendEntry, listLegend, tableLegend } from '../legend.ts';
import { reduce, type TimeRange } from '../panel-data.ts';
import { nested, type Size, textWidth } from '../svg.ts';
import { formatValue } from '../units.ts';
import { type Mark, type Sheet, type ShownSeries, shownSeries } from './drawing.ts';

const AXIS_TEXT = 11;
const CALCULATIONS: Readonly<Record<string, string>> = {
  lastNotNull: 'Last',
  last: 'Last',
  max: 'Max',
  min: 'Min',
  mean: 'Mean',
  sum: 'Total',
  first: 'First',
  firstNotNull: 'First',
};

/** Lines, areas or bars over time, with their legend below or at the right. */
export function drawTimeSeries(sheet: Sheet): string {
  const { panel, size } = sheet;
  const shown = shownSeries(sheet).filter(({ settings }) => !customOf(settings, 'hideFrom', { viz: false }).viz);
  const { legend, isAtRight } = legendOf(shown, panel.options?.legend, size);
  const width = isAtRight ? size.width - legend.width - 14 : size.width;
  const height = isAtRight ? size.height : size.height - legend.height - 4;
  const place = isAtRight ? { x: width + 14, y: 4 } : { x: 4, y: height + 4 };
  return (
    chart({ x: 0, y: 0, width, height }, optionOf(shown, panel.fieldConfig?.defaults ?? {}, sheet, { width, height })) +
    nested({ ...place, width: legend.width, height: legend.height }, legend.svg)
  );
}

function legendOf(shown: readonly ShownSeries[], options: PanelOptions['legend'], { width, height }: Size): { legend: Legend; isAtRight: boolean } {
  const isAtRight = options?.placement === 'right';
  const entries = shown
    .filter(({ settings }) => !customOf(settings, 'hideFrom', { legend: false }).legend)
    .map((one) => legendEntry(one, options?.calcs ?? []));
  if (options?.showLegend === false || options?.displayMode === 'hidden' || entries.length === 0)
    return { legend: { svg: '', width: 0, height: 0 }, isAtRight: false };
  const room = isAtRight ? { width: width * 0.36, height: height - 8 } : { width: width - 8, height: Math.max(16, height * 0.46) };
  const heads = (options?.calcs ?? []).map((calculation) => CALCULATIONS[calculation] ?? calculation);
  const asTable = options?.displayMode === 'table' || isAtRight;
  return { legend: asTable ? tableLegend(heads, entries, room) : listLegend(entries, room), isAtRight };
}

function legendEntry(one: ShownSeries, calculations: readonly string[]): LegendEntry {
  return { name: one.name, colour: colourOf(one), values: calculations.map((calculation) => display(one.settings, reduce(one.points, calculation)).text) };
}

function colourOf({ settings, points, index }: ShownSeries): string {
  return seriesColour({ ...settings, color: settings.color ?? { mode: 'palette-classic' } }, reduce(points), index);
}

function optionOf(shown: readonly ShownSeries[], defaults: FieldSettings, { range, marks }: Sheet, { width, height }: Size): EChartsOption {
  const left = shown.filter((one) => !isAtRightAxis(one));
  const right = shown.filter(isAtRightAxis);
  const axes = [axisOf(left.length > 0 ? left : right, defaults, height, 'left')];
  if (right.length > 0 && left.length > 0) axes.push(axisOf(right, defaults, height, 'right'));
  return {
    grid: { left: labelRoom(left.length > 0 ? left : right), right: axes.length > 1 ? labelRoom(right) : 12, top: 10, bottom: 22 },
    xAxis: {
      type: 'time',
      min: range.from.getTime(),
      max: range.to.getTime(),
      splitNumber: Math.max(2, Math.floor(width / 110)),
      axisLine: { show: false },
      axisTick: { show: false },
      splitLine: { show: true, lineStyle: { color: THEME.grid } },
      axisLabel: { color: THEME.faint, fontSize: AXIS_TEXT, hideOverlap: true, formatter: (ms: number) => new Date(ms).toISOString().slice(11, 19) },
    },
    yAxis: axes,
    series: shown.map((one, place) =>
      seriesOf(one, axes.length > 1 && isAtRightAxis(one) ? 1 : 0, range, place === 0 ? { ...thresholdLines(defaults), ...markAreas(marks) } : {}),
    ),
  };
}

function isAtRightAxis({ settings }: ShownSeries): boolean {
  return customOf(settings, 'axisPlacement', 'auto') === 'right';
}

function axisOf(shown: readonly ShownSeries[], defaults: FieldSettings, height: number, position: 'left' | 'right'): YAXisOption {
  const settings = shown[0]?.settings ?? defaults;
  const isLogarithmic = customOf(settings, 'scaleDistribution', { type: 'linear' }).type === 'log';
  const splits = Math.max(2, Math.floor(height / 45));
  const min = settings.min ?? softEnd(shown, customOf<number | undefined>(settings, 'axisSoftMin', undefined), Math.min);
  const max = settings.max ?? softEnd(shown, customOf<number | undefined>(settings, 'axisSoftMax', undefined), Math.max);
  return {
    type: isLogarithmic ? 'log' : 'value',
    position,
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(isLogarithmic || max !== undefined || min !== 0 ? { splitNumber: splits } : roundScale(shown, settings.unit, splits)),
    axisLabel: { color: THEME.faint, fontSize: AXIS_TEXT, formatter: (value: number) => axisText(settings, value) },
    splitLine: { show: position === 'left', lineStyle: { color: THEME.grid } },
  };
}

// Round numbers are powers of two where they count bytes. What never leaves 0 is drawn on a scale to 1.
function roundScale(
  shown: readonly ShownSeries[],
  unit: string | undefined,
  splits: number,
): { readonly splitNumber: number; readonly max?: number; readonly interval?: number } {
  const isStacked = shown.some(({ settings }) => customOf(settings, 'stacking', { mode: 'none' }).mode !== 'none');
  const highest = Math.max(0, ...(isStacked ? stackedValues(shown) : shown.flatMap(({ points }) => points.map(([, value]) => value))).filter(Number.isFinite));
  if (highest === 0) return { splitNumber: splits, max: 1, interval: 0.5 };
  if (unit !== 'bytes' && unit !== 'binBps') return { splitNumber: splits };
  const interval = 2 ** Math.ceil(Math.log2(highest / splits));
  return { splitNumber: splits, interval, max: Math.ceil(highest / interval) * interval };
}

function stackedValues(shown: readonly ShownSeries[]): readonly number[] {
  const sums = new Map<number, number>();
  for (const [at, value] of shown.flatMap(({ points }) => points)) sums.set(at, (sums.get(at) ?? 0) + value);
  return [...sums.values()];
}

function axisText(settings: FieldSettings, value: number): string {
  return formatValue(value, settings.unit, Number.isInteger(value) ? undefined : settings.decimals);
}

// A soft end counts where the data does not go beyond it.
function softEnd(shown: readonly ShownSeries[], soft: number | undefined, outer: (...values: number[]) => number): number | undefined {
  if (soft === undefined || soft === null) return undefined;
  const reached = outer(...shown.flatMap(({ points }) => points.map(([, value]) => value)));
  return outer(reached, soft) === soft ? soft : undefined;
}

function labelRoom(shown: readonly ShownSeries[]): number {
  const widths = shown.flatMap(({ settings, points }) =>
    ['max', 'min'].map((end) => textWidth(axisText(settings, Number(reduce(points, end).toPrecision(2))), AXIS_TEXT)),
  );
  return Math.ceil(Math.min(110, Math.max(26, ...widths) + 18));
}

function seriesOf(one: ShownSeries, yAxisIndex: number, range: TimeRange, decoration: object): SeriesOption {
  const { settings } = one;
  const colour = colourOf(one);
  const style = customOf(settings, 'drawStyle', 'line');
  const stacking = customOf(settings, 'stacking', { mode: 'none', group: 'A' });
  const common = {
    silent: true,
    yAxisIndex,
    itemStyle: { color: colour },
    data: gapped(one, range),
    ...(stacking.mode === 'none' ? {} : { stack: `${stacking.group}${yAxisIndex}` }),
    ...decoration,
  };
  if (style === 'bars') return { type: 'bar', barMinWidth: 2, barCategoryGap: '5%', ...common };
  const fill = customOf(settings, 'fillOpacity', 0);
  const dash = customOf(settings, 'lineStyle', { fill: 'solid' }).fill;
  return {
    type: 'line',
    showSymbol: style === 'points' || one.points.length === 1 || customOf(settings, 'showPoints', 'never') === 'always',
    symbolSize: 4,
    lineStyle: {
      color: colour,
      width: style === 'points' ? 0 : Math.max(1, customOf(settings, 'lineWidth', 1)),
      type: dash === 'dash' ? 'dashed' : dash === 'dot' ? 'dotted' : 'solid',
    },
    ...(fill > 0 ? { areaStyle: { color: colour, opacity: fill / 100 } } : {}),
    ...interpolation(customOf(settings, 'lineInterpolation', 'linear')),
    connectNulls: customOf<unknown>(settings, 'spanNulls', false) === true,
    ...common,
  };
}

function interpolation(name: string): { readonly step?: 'start' | 'end'; readonly smooth?: number } {
  if (name === 'stepAfter') return { step: 'end' };
  if (name === 'stepBefore') return { step: 'start' };
  return name === 'smooth' ? { smooth: 0.25 } : {};
}

// Where a moment has no value the line ends, and begins again with the next.
function gapped({ points, settings }: ShownSeries, { stepSeconds }: TimeRange): [number, number | null][] {
  const sign = customOf(settings, 'transform', '') === 'negative-Y' ? -1 : 1;
  return points.flatMap(([at, value], index): [number, number | null][] => {
    const point: [number, number | null] = [Math.round(at * 1000), Number.isFinite(value) ? value * sign : null];
    const before = points[index - 1]?.[0] ?? at;
    return at - before > stepSeconds * 1.5 ? [[Math.round((before + stepSeconds) * 1000), null], point] : [point];
  });
}

function thresholdLines(settings: FieldSettings): object {
  const style = customOf(settings, 'thresholdsStyle', { mode: 'off' }).mode;
  if (!/line|dashed/.test(style)) return {};
  const steps = (settings.thresholds?.steps ?? []).filter(({ value }) => value !== null && value !== undefined);
  const data = steps.map(({ value, color }) => ({
    yAxis: value,
    lineStyle: { color: colourNamed(color), type: style.includes('dashed') ? 'dashed' : 'solid' },
  }));
  return { markLine: { silent: true, symbol: 'none', label: { show: false }, data } };
}

function markAreas(marks: readonly Mark[]): object {
  if (marks.length === 0) return {};
  const data = marks.map(({ from, to, colour }) => [{ xAxis: from * 1000, itemStyle: { color: colour, opacity: 0.12 } }, { xAxis: to * 1000 }]);
  return { markArea: { silent: true, data } };
}
