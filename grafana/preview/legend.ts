import { THEME } from './colours.ts';
import { rectangle, type Size, shortened, text, textWidth } from './svg.ts';

const SIZE = 11;
const ROW = 16;
const MARK = 14;
const GAP = 16;
const VALUE_WIDTH = 72;

export interface LegendEntry {
  readonly name: string;
  readonly colour: string;
  /** Such as the last value; as many for every entry. */
  readonly values: readonly string[];
}

export interface Legend extends Size {
  readonly svg: string;
}

/** Entries one after another, in as many rows as fit into `height`; an ellipsis stands for the rest. */
export function listLegend(entries: readonly LegendEntry[], { width, height }: Size): Legend {
  const rows = Math.max(1, Math.floor(height / ROW));
  let svg = '';
  let x = 0;
  let row = 0;
  for (const [index, { name, colour, values }] of entries.entries()) {
    const label = shortened([name, ...values].join('  '), width - MARK - 2, SIZE);
    const needed = MARK + textWidth(label, SIZE);
    if (x > 0 && x + needed > width) {
      x = 0;
      row++;
    }
    if (row >= rows)
      return {
        svg: svg + text(width, rows * ROW - 4, `… ${entries.length - index} more`, { size: SIZE, colour: THEME.faint, anchor: 'end' }),
        width,
        height: rows * ROW,
      };
    svg += mark(x, row, colour) + text(x + MARK, row * ROW + 12, label, { size: SIZE });
    x += needed + GAP;
  }
  return { svg, width, height: (row + 1) * ROW };
}

/** One entry a row, its values in columns under their heads. */
export function tableLegend(heads: readonly string[], entries: readonly LegendEntry[], { width, height }: Size): Legend {
  const room = Math.max(1, Math.floor(height / ROW) - 1);
  const shown = entries.length > room ? entries.slice(0, Math.max(1, room - 1)) : entries;
  const rest = entries.length - shown.length;
  const column = (index: number): number => width - (heads.length - 1 - index) * VALUE_WIDTH;
  const names = width - heads.length * VALUE_WIDTH - MARK;
  const head = heads.map((title, index) => text(column(index), 12, title, { size: SIZE, colour: THEME.faint, anchor: 'end' })).join('');
  const rows = shown.map(
    ({ name, colour, values }, index) =>
      mark(0, index + 1, colour) +
      text(MARK, (index + 1) * ROW + 12, shortened(name, names, SIZE), { size: SIZE }) +
      values.map((value, at) => text(column(at), (index + 1) * ROW + 12, value, { size: SIZE, anchor: 'end' })).join(''),
  );
  const more = rest > 0 ? text(MARK, (shown.length + 1) * ROW + 12, `… ${rest} more`, { size: SIZE, colour: THEME.faint }) : '';
  return { svg: head + rows.join('') + more, width, height: (shown.length + (rest > 0 ? 2 : 1)) * ROW };
}

function mark(x: number, row: number, colour: string): string {
  return rectangle({ x, y: row * ROW + 6, width: 10, height: 4 }, colour, 'rx="2"');
}
