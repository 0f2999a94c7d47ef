import { colourNamed, THEME, valueColour } from '../colours.ts';
import { display } from '../field.ts';
import { type LegendEntry, listLegend } from '../legend.ts';
import { nested, rectangle, shortened, text, textWidth } from '../svg.ts';
import { type Sheet, type ShownSeries, shownSeries } from './drawing.ts';
import { timeAxis } from './time-axis.ts';

const SIZE = 12;
const AXIS = 20;

interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly written: string;
  readonly colour: string;
}

/** One row a series: in which state it was, and for how long. */
export function drawStateTimeline(sheet: Sheet): string {
  const { size, range, panel } = sheet;
  const rows = shownSeries(sheet).map((one) => ({ name: one.name, stretches: stretches(one, range.stepSeconds) }));
  const legend =
    panel.options?.legend?.showLegend === false ? undefined : listLegend(states(rows.flatMap((row) => row.stretches)), { width: size.width - 8, height: 32 });
  const left = Math.min(size.width * 0.3, Math.max(...rows.map(({ name }) => textWidth(name, SIZE))) + 12);
  const bottom = size.height - AXIS - (legend ? legend.height + 4 : 0);
  const row = bottom / rows.length;
  const axis = timeAxis(range, left, size.width - 8, bottom);
  const drawn = rows.map(({ name, stretches: ones }, index) => {
    const y = index * row;
    const blocks = ones.map(({ from, to, written, colour }) => {
      const x = Math.max(left, axis.at(from));
      const width = Math.min(size.width - 8, axis.at(to)) - x;
      const label = width > 26 ? text(x + 5, y + row / 2 + 4, shortened(written, width - 8, 11), { size: 11, colour: '#111217', weight: 600 }) : '';
      return rectangle({ x, y: y + row * 0.08, width, height: row * 0.84 }, colour) + label;
    });
    return text(left - 8, y + row / 2 + 4, shortened(name, left - 10, SIZE), { size: SIZE, anchor: 'end' }) + blocks.join('');
  });
  return drawn.join('') + axis.svg + (legend ? nested({ x: 4, y: size.height - legend.height, width: legend.width, height: legend.height }, legend.svg) : '');
}

function states(all: readonly Stretch[]): readonly LegendEntry[] {
  const seen = new Map(all.map(({ written, colour }) => [written, colour]));
  return [...seen].map(([name, colour]) => ({ name, colour, values: [] }));
}

// A state lasts until the next value that is shown otherwise, or for one step where values are missing.
function stretches({ points, settings, index }: ShownSeries, step: number): readonly Stretch[] {
  const merged: Stretch[] = [];
  for (const [at, value] of points) {
    const { text: written, colour } = display(settings, value);
    const next = { from: at, to: at + step, written, colour: colour ? colourNamed(colour) : valueColour(settings, value, index) || THEME.text };
    const last = merged.at(-1);
    if (last && last.written === written && last.colour === next.colour && at - last.to < step * 0.5) merged[merged.length - 1] = { ...last, to: next.to };
    else merged.push(next);
  }
  return merged;
}
