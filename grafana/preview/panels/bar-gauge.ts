import { colourNamed, THEME, valueColour } from '../colours.ts';
import { display } from '../field.ts';
import { reduce } from '../panel-data.ts';
import { rectangle, shortened, text, textWidth } from '../svg.ts';
import { type Sheet, shownSeries } from './drawing.ts';

const SIZE = 12;
const THICKEST = 34;

/** One bar a series, the longest first as the query orders them, all to the same scale. */
export function drawBarGauge(sheet: Sheet): string {
  const { panel, size } = sheet;
  const bars = shownSeries(sheet).map((one) => {
    const value = reduce(one.points, panel.options?.reduceOptions?.calcs?.[0]);
    const { text: written, colour } = display(one.settings, value);
    return { ...one, value, written, colour: colour ? colourNamed(colour) : valueColour(one.settings, value, one.index) };
  });
  const low = Math.min(...bars.map(({ settings }) => settings.min ?? 0));
  const high = Math.max(...bars.map(({ settings, value }) => settings.max ?? value), low);
  const row = Math.min(THICKEST, size.height / bars.length);
  const names = Math.min(size.width * 0.4, Math.max(...bars.map(({ name }) => textWidth(name, SIZE))) + 14);
  const values = Math.max(...bars.map(({ written }) => textWidth(written, SIZE + 1))) + 14;
  const room = size.width - names - values;
  return bars
    .map(({ name, written, value, colour }, index) => {
      const y = index * row;
      const middle = y + row / 2 + 4;
      const bar = { x: names, y: y + row * 0.15, height: row * 0.7 };
      const length = high > low ? (Math.min(high, Math.max(low, value)) - low) / (high - low) : 0;
      return (
        text(names - 8, middle, shortened(name, names - 8, SIZE), { size: SIZE, anchor: 'end' }) +
        rectangle({ ...bar, width: room }, THEME.grid, 'rx="2"') +
        rectangle({ ...bar, width: room * length }, colour, 'rx="2"') +
        text(size.width - 4, middle, written, { size: SIZE + 1, anchor: 'end', colour, weight: 600 })
      );
    })
    .join('');
}
