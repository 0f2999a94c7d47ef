import { chart } from '../chart.ts';
import { colourNamed, THEME, valueColour } from '../colours.ts';
import { display, type Field, mappingOf } from '../field.ts';
import { reduce } from '../panel-data.ts';
import { type Box, fittingSize, rectangle, shortened, text } from '../svg.ts';
import { type Sheet, type ShownSeries, shownSeries } from './drawing.ts';
import { tiles } from './tiles.ts';

const NAME_SIZE = 12;

interface Tile extends Field {
  readonly value: string;
  readonly colour: string;
  readonly points: ShownSeries['points'];
}

/** One tile a series: its value, with its name where there are several, and its course behind it. */
export function drawStat(sheet: Sheet): string {
  const { panel, size } = sheet;
  const shown = shownSeries(sheet).flatMap((one) => tilesOf(one, sheet));
  const mode = panel.options?.textMode ?? 'auto';
  const isNamed = mode === 'value_and_name' || mode === 'name' || (mode === 'auto' && shown.length > 1);
  return tiles(shown, size, panel.options?.orientation)
    .map(({ item, box }) => drawTile(item, box, sheet, isNamed, mode === 'name'))
    .join('');
}

function tilesOf(one: ShownSeries, { panel }: Sheet): readonly Tile[] {
  const label = labelWanted(one, panel.options?.reduceOptions?.fields);
  if (label !== undefined)
    return [{ ...one, value: mappingOf(one.settings, label)?.text ?? label, colour: colourNamed(mappingOf(one.settings, label)?.color ?? 'text') }];
  const value = reduce(one.points, panel.options?.reduceOptions?.calcs?.[0]);
  const { text: written, colour } = display(one.settings, value);
  return [{ ...one, value: written, colour: colour ? colourNamed(colour) : valueColour(one.settings, value, one.index) }];
}

// The option `fields` may name a label in place of the value, such as the version in relay_build_info.
function labelWanted({ labels }: ShownSeries, fields = ''): string | undefined {
  const name = fields.replace(/^\/\^?|\$?\/$/g, '');
  return name === '' ? undefined : labels[name];
}

function drawTile({ name, value, colour, points }: Tile, { x, y, width, height }: Box, { panel, range }: Sheet, isNamed: boolean, isNameOnly: boolean): string {
  const mode = panel.options?.colorMode ?? 'value';
  const isFilled = mode.startsWith('background');
  const ink = isFilled ? '#ffffff' : mode === 'none' ? THEME.text : colour;
  const ground = isFilled ? rectangle({ x, y, width, height }, colour, 'rx="3"') : '';
  const graph =
    (panel.options?.graphMode ?? 'area') === 'area' && points.length > 1 && height > 50
      ? spark({ x, y: y + height * 0.55, width, height: height * 0.45 }, points, range, isFilled ? '#ffffff' : colour)
      : '';
  const largest = Math.min(height * (isNamed ? 0.42 : 0.55), 54);
  const written = isNameOnly ? name : value;
  const size = Math.max(11, fittingSize(written, width - 16, largest));
  const middle = y + height * (isNamed && !isNameOnly ? 0.62 : 0.5) + size * 0.35;
  const title =
    isNamed && !isNameOnly
      ? text(x + width / 2, y + Math.max(15, middle - size - 4), shortened(name, width - 8, NAME_SIZE), {
          size: NAME_SIZE,
          anchor: 'middle',
          colour: isFilled ? '#ffffff' : THEME.text,
        })
      : '';
  return ground + graph + title + text(x + width / 2, middle, shortened(written, width - 8, size), { size, anchor: 'middle', colour: ink, weight: 600 });
}

function spark(box: Box, points: ShownSeries['points'], range: Sheet['range'], colour: string): string {
  const values = points.map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return chart(box, {
    grid: { left: 0, right: 0, top: 2, bottom: 0 },
    xAxis: { type: 'time', show: false, min: range.from.getTime(), max: range.to.getTime() },
    yAxis: { type: 'value', show: false, min: low === high ? low - 1 : low, max: high === low ? high + 1 : high },
    series: [
      {
        type: 'line',
        silent: true,
        showSymbol: false,
        lineStyle: { color: colour, width: 1, opacity: 0.7 },
        areaStyle: { color: colour, opacity: 0.18 },
        data: points.map(([at, value]) => [at * 1000, value]),
      },
    ],
  });
}
