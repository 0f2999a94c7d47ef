import Table from 'cli-table3';

/** A column: its heading, and how a row's cell reads. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string | number];

/** A plain table without frames: it can be piped into awk. */
export function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const blank = {
    top: '',
    'top-mid': '',
    'top-left': '',
    'top-right': '',
    bottom: '',
    'bottom-mid': '',
    'bottom-left': '',
    'bottom-right': '',
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: '  ',
  };
  const table = new Table({ chars: blank, style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] }, head: columns.map(([heading]) => heading) });
  table.push(...rows.map((row) => columns.map(([, cell]) => String(cell(row)))));
  return table.toString().replace(/ +$/gm, '');
}
