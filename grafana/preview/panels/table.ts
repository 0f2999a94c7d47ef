import { colourNamed, THEME, valueColour } from '../colours.ts';
import type { Panel } from '../dashboard.ts';
import { customOf, display, type Field, fieldOf, mappingOf } from '../field.ts';
import type { PanelSeries } from '../panel-data.ts';
import { line, rectangle, shortened, text, textWidth } from '../svg.ts';
import type { Sheet } from './drawing.ts';

const SIZE = 12;
const ROW = 24;
const PADDING = 8;

interface Column extends Field {
  readonly isNumber: boolean;
  readonly cells: readonly (string | number)[];
}

/** One row a series at its last moment: its labels, then its value. */
export function drawTable(sheet: Sheet): string {
  const { size, panel } = sheet;
  const columns = columnsOf(panel, sheet.series).filter(({ settings }) => !customOf(settings, 'hidden', false));
  const order = rowOrder(columns, panel, sheet.series.length);
  const room = Math.max(1, Math.floor(size.height / ROW) - 1);
  const shown = order.slice(0, order.length > room ? room - 1 : room);
  const places = placesOf(columns, shown, size.width);
  const cells = columns.map((column, index) => drawColumn(column, shown, places[index] ?? { x: 0, width: 0 }));
  const lines = shown.map((_, index) => line(0, (index + 1) * ROW, size.width, (index + 1) * ROW, THEME.grid));
  const rest = order.length - shown.length;
  const more = rest > 0 ? text(PADDING, (shown.length + 1) * ROW + 16, `… ${rest} more`, { size: 11, colour: THEME.faint }) : '';
  return rectangle({ x: 0, y: 0, width: size.width, height: ROW }, '#22252b') + lines.join('') + cells.join('') + more;
}

/** The columns of a table in Grafana's order: the labels by their names, then the value of each query. */
function columnsOf(panel: Panel, series: readonly PanelSeries[]): readonly Column[] {
  const labels = [...new Set(series.flatMap((one) => Object.keys(one.labels)))].filter((name) => name !== '__name__').sort();
  const refIds = [...new Set(series.map(({ refId }) => refId))];
  const column = (name: string, refId: string, isNumber: boolean, cells: readonly (string | number)[]): Column => ({
    ...fieldOf(panel, { name, refId, labels: {} }),
    isNumber,
    cells,
  });
  return [
    ...labels.map((name) =>
      column(
        name,
        refIds[0] ?? 'A',
        false,
        series.map((one) => one.labels[name] ?? ''),
      ),
    ),
    ...refIds.map((refId) => {
      const name = refIds.length > 1 ? `Value #${refId}` : 'Value';
      return column(
        name,
        refId,
        true,
        series.map((one) => (one.refId === refId ? (one.points.at(-1)?.[1] ?? Number.NaN) : '')),
      );
    }),
  ];
}

function rowOrder(columns: readonly Column[], { options }: Panel, count: number): readonly number[] {
  const { displayName, desc = false } = options?.sortBy?.[0] ?? {};
  const cells = columns.find(({ name }) => name === displayName)?.cells;
  const rows = Array.from({ length: count }, (_, index) => index);
  if (!cells) return rows;
  return rows.sort((one, other) => compare(cells[one] ?? '', cells[other] ?? '') * (desc ? -1 : 1));
}

function compare(one: string | number, other: string | number): number {
  return typeof one === 'number' && typeof other === 'number' ? one - other : String(one).localeCompare(String(other));
}

interface Place {
  readonly x: number;
  readonly width: number;
}

// By what stands in them; what is left over, or missing, is shared by all.
function placesOf(columns: readonly Column[], rows: readonly number[], width: number): readonly Place[] {
  const wanted = columns.map(
    (column) => Math.max(textWidth(column.name, SIZE) * 1.05, ...rows.map((row) => textWidth(written(column, row).text, SIZE))) + PADDING * 2,
  );
  const factor = width / wanted.reduce((sum, one) => sum + one, 0);
  let x = 0;
  return wanted.map((one) => {
    const place = { x, width: one * factor };
    x += place.width;
    return place;
  });
}

function drawColumn(column: Column, rows: readonly number[], { x, width }: Place): string {
  const isRight = customOf(column.settings, 'align', 'auto') === 'right' || (column.isNumber && customOf(column.settings, 'align', 'auto') === 'auto');
  const at = isRight ? x + width - PADDING : x + PADDING;
  const anchor = isRight ? 'end' : 'start';
  const head = text(at, 16, shortened(column.name, width - PADDING, SIZE), { size: SIZE, anchor, colour: '#8ab8ff', weight: 500 });
  const style = customOf(column.settings, 'cellOptions', { type: 'auto' }).type;
  const cells = rows.map((row, index) => {
    const { text: content, colour } = written(column, row);
    const y = (index + 1) * ROW;
    const ground = style === 'color-background' && colour ? rectangle({ x: x + 1, y: y + 1, width: width - 2, height: ROW - 2 }, colour) : '';
    return (
      ground +
      text(at, y + 16, shortened(content, width - PADDING, SIZE), { size: SIZE, anchor, colour: style === 'color-text' && colour ? colour : THEME.text })
    );
  });
  return head + cells.join('');
}

function written({ settings, cells }: Column, row: number): { readonly text: string; readonly colour: string | undefined } {
  const cell = cells[row] ?? '';
  if (typeof cell === 'string') {
    const mapped = mappingOf(settings, cell);
    return { text: mapped?.text ?? cell, colour: mapped?.color === undefined ? undefined : colourNamed(mapped.color) };
  }
  const { text: content, colour } = display(settings, cell);
  return { text: content, colour: colour === undefined ? valueColour(settings, cell, row) : colourNamed(colour) };
}
