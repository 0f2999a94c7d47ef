/** A column: its heading, and how a row's cell reads. */
export type Column<Row> = readonly [heading: string, cell: (row: Row) => string | number];

const GAP = '  ';
/** Characters that a terminal draws two cells wide (Unicode's East Asian Wide, and emoji). */
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/gu;

/** A plain table without frames: it can be piped into awk. Each row is one line, whatever its cells hold, and nothing in them reaches a terminal as a command. */
export function tableOf<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map(([heading]) => heading), ...rows.map((row) => columns.map(([, cell]) => oneLine(String(cell(row)))))];
  const widths = columns.map((_, at) => lines.reduce((widest, cells) => Math.max(widest, widthOf(cells[at] ?? '')), 0));
  const padded = (cell: string, at: number): string => cell + ' '.repeat((widths[at] ?? 0) - widthOf(cell));
  return lines.map((cells) => cells.map(padded).join(GAP).trimEnd()).join('\n');
}

function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

function widthOf(text: string): number {
  return [...text].length + (text.match(WIDE)?.length ?? 0);
}
