import { colourNamed, THEME, valueColour } from '../colours.ts';
import type { FieldSettings } from '../dashboard.ts';
import { display } from '../field.ts';
import { reduce } from '../panel-data.ts';
import { type Box, fittingSize, round, shortened, text } from '../svg.ts';
import { type Sheet, type ShownSeries, shownSeries } from './drawing.ts';
import { tiles } from './tiles.ts';

const FROM = -0.75 * Math.PI;
const SWEEP = 1.5 * Math.PI;
const NAME_SIZE = 12;

/** One dial a series, from the field's least to its greatest value, its thresholds around it. */
export function drawGauge(sheet: Sheet): string {
  const shown = shownSeries(sheet);
  return tiles(shown, sheet.size)
    .map(({ item, box }) => dial(item, box, sheet, shown.length > 1))
    .join('');
}

function dial({ name, settings, points, index }: ShownSeries, { x, y, width, height }: Box, { panel }: Sheet, isNamed: boolean): string {
  const value = reduce(points, panel.options?.reduceOptions?.calcs?.[0]);
  const { text: written, colour: mapped } = display(settings, value);
  const colour = mapped ? colourNamed(mapped) : valueColour(settings, value, index);
  const room = height - (isNamed ? NAME_SIZE + 8 : 0);
  const radius = Math.min(width / 2, room / 1.72) - 4;
  const centre: Centre = { x: x + width / 2, y: y + radius + 4 };
  const size = fittingSize(written, radius * 1.15, radius * 0.5);
  return (
    arc(centre, radius * 0.82, 0, 1, THEME.grid, radius * 0.24) +
    arc(centre, radius * 0.82, 0, share(settings, value), colour, radius * 0.24) +
    thresholdRing(settings, centre, radius) +
    text(centre.x, centre.y + size * 0.35, written, { size, colour, anchor: 'middle', weight: 600 }) +
    (isNamed ? text(centre.x, y + height - 4, shortened(name, width - 4, NAME_SIZE), { size: NAME_SIZE, anchor: 'middle' }) : '')
  );
}

interface Centre {
  readonly x: number;
  readonly y: number;
}

function thresholdRing(settings: FieldSettings, centre: Centre, radius: number): string {
  const steps = settings.thresholds?.steps ?? [];
  const place = (step: number | null | undefined): number =>
    settings.thresholds?.mode === 'percentage' ? (step ?? 0) / 100 : share(settings, step ?? Number.NEGATIVE_INFINITY);
  return steps
    .map(({ value, color }, index) =>
      arc(centre, radius * 0.98, place(value), index + 1 < steps.length ? place(steps[index + 1]?.value) : 1, colourNamed(color), 3),
    )
    .join('');
}

function share({ min, max }: FieldSettings, value: number): number {
  const low = min ?? 0;
  return Math.min(1, Math.max(0, (value - low) / ((max ?? 100) - low || 1)));
}

function arc(centre: Centre, radius: number, from: number, to: number, colour: string, width: number): string {
  if (to <= from) return '';
  const at = (place: number): string => {
    const angle = FROM + SWEEP * place;
    return `${round(centre.x + radius * Math.sin(angle))} ${round(centre.y - radius * Math.cos(angle))}`;
  };
  const isLong = (to - from) * SWEEP > Math.PI ? 1 : 0;
  return `<path d="M${at(from)}A${round(radius)} ${round(radius)} 0 ${isLong} 1 ${at(to)}" fill="none" stroke="${colour}" stroke-width="${round(width)}"/>`;
}
