import { onScale, THEME } from '../colours.ts';
import { type PanelSeries, reduce } from '../panel-data.ts';
import { rectangle, round, text, textWidth } from '../svg.ts';
import { formatValue } from '../units.ts';
import { type Sheet, shownSeries } from './drawing.ts';
import { timeAxis } from './time-axis.ts';

const SCALE = ['#1b1f3a', '#4b3fa0', '#b0489c', '#f2705f', '#fbd56b'];
const LEVELS = 10;
const AXIS = 20;
const LEGEND = 18;

interface Band {
  /** The upper end, as in the label `le`. */
  readonly upTo: number;
  readonly counts: ReadonlyMap<number, number>;
}

/** How often values fell into each bucket of a histogram over time: the brighter, the more often. */
export function drawHeatMap(sheet: Sheet): string {
  const { size, range } = sheet;
  const bands = bandsOf(sheet.series);
  const unit = bucketUnit(sheet);
  const most = Math.max(...bands.flatMap(({ counts }) => [...counts.values()]), Number.MIN_VALUE);
  const names = bands.map(({ upTo }) => (upTo === Number.POSITIVE_INFINITY ? 'more' : `≤ ${formatValue(upTo, unit)}`));
  const left = Math.max(...names.map((name) => textWidth(name, 11))) + 12;
  const bottom = size.height - AXIS - LEGEND;
  const row = bottom / bands.length;
  const axis = timeAxis(range, left, size.width - 8, bottom);
  const paths = Array.from({ length: LEVELS }, () => '');
  for (const [index, { counts }] of bands.entries()) {
    const y = bottom - (index + 1) * row;
    for (const [at, count] of counts) {
      if (count <= 0) continue;
      const x = Math.max(left, axis.at(at - range.stepSeconds));
      const level = Math.min(LEVELS - 1, Math.floor((count / most) ** 0.5 * LEVELS));
      paths[level] += `M${round(x)} ${round(y + 0.5)}H${round(axis.at(at))}V${round(y + row - 0.5)}H${round(x)}z`;
    }
  }
  const labels = names.map((name, index) => text(left - 8, bottom - (index + 0.5) * row + 4, name, { size: 11, colour: THEME.faint, anchor: 'end' }));
  const ground = rectangle({ x: left, y: 0, width: size.width - 8 - left, height: bottom }, '#15171c');
  const cells = paths.map((path, level) => (path === '' ? '' : `<path d="${path}" fill="${onScale(SCALE, (level + 1) / LEVELS)}"/>`));
  return ground + cells.join('') + labels.join('') + axis.svg + legend(most, size.height, left);
}

function bucketUnit(sheet: Sheet): string | undefined {
  const axis = (sheet.panel.options as { readonly yAxis?: { readonly unit?: string } } | undefined)?.yAxis;
  return axis?.unit ?? shownSeries(sheet)[0]?.settings.unit;
}

function legend(most: number, height: number, left: number): string {
  const y = height - 10;
  const steps = Array.from({ length: LEVELS }, (_, level) =>
    rectangle({ x: left + level * 14, y, width: 14, height: 7 }, onScale(SCALE, (level + 1) / LEVELS)),
  );
  return `${text(left - 6, y + 8, '0', { size: 11, colour: THEME.faint, anchor: 'end' })}${steps.join('')}${text(left + LEVELS * 14 + 6, y + 8, formatValue(most), { size: 11, colour: THEME.faint })}`;
}

// Prometheus counts in each bucket what is in all smaller ones, too. Buckets that nothing ever fell into, above or below all others, are left out.
function bandsOf(series: readonly PanelSeries[]): readonly Band[] {
  const cumulative = series
    .map((one) => ({ upTo: boundOf(one), points: new Map(one.points), total: reduce(one.points, 'sum') }))
    .sort((one, other) => one.upTo - other.upTo);
  const bands = cumulative.map(({ upTo, points }, index) => {
    const below = cumulative[index - 1]?.points;
    return { upTo, counts: new Map([...points].map(([at, count]) => [at, Math.max(0, count - (below?.get(at) ?? 0))])) };
  });
  const isUsed = ({ counts }: Band): boolean => [...counts.values()].some((count) => count > 0);
  const first = bands.findIndex(isUsed);
  return first < 0 ? bands : bands.slice(Math.max(0, first - 1), bands.findLastIndex(isUsed) + 2);
}

function boundOf({ labels, name }: PanelSeries): number {
  const bound = labels['le'] ?? name;
  return bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
}
