/** Rows of one table and one day on their way to a segment. */
import type { Column } from './column.ts';
import { type ColumnBuilder, createColumnBuilder } from './column-builder.ts';
import { AGENT, DATA_TYPE, HIDDEN_COLUMNS, KEPT_COMMON_COLUMNS, ROW, SEQ } from './hidden-columns.ts';
import type { SegmentContent } from './segment.ts';

/** What comes with every row, whatever its table. Times in milliseconds since 1970. */
export interface RowTag {
  readonly seq: number;
  readonly row: number;
  readonly agentId: string;
  readonly dataType: string;
  readonly timeGenerated: number;
  readonly timeReceived: number;
  readonly computer: string | undefined;
  readonly managementGroup: string;
}

export interface TableBuilder {
  readonly table: string;
  /** Days since 1970, of TimeGenerated. */
  readonly day: number;
  rows(): number;
  /** Begins a row; `set` is about the one begun last. */
  begin(tag: RowTag): void;
  set(column: Column, value: number | string): void;
  build(): SegmentContent;
}

export function createTableBuilder(table: string, day: number): TableBuilder {
  const builders = new Map<string, ColumnBuilder>([...KEPT_COMMON_COLUMNS, ...HIDDEN_COLUMNS].map((column) => [column.name, createColumnBuilder(column)]));
  let rows = 0;
  const place = (name: string, value: number | string): void => builders.get(name)?.set(rows - 1, value);
  return {
    table,
    day,
    rows: () => rows,
    begin(tag) {
      rows += 1;
      place('TimeGenerated', tag.timeGenerated);
      place('_TimeReceived', tag.timeReceived);
      if (tag.computer !== undefined) place('Computer', tag.computer);
      place('MG', tag.managementGroup);
      place(SEQ.name, tag.seq);
      place(ROW.name, tag.row);
      place(AGENT.name, tag.agentId);
      place(DATA_TYPE.name, tag.dataType);
    },
    set(column, value) {
      let builder = builders.get(column.name);
      if (!builder) {
        builder = createColumnBuilder(column);
        builders.set(column.name, builder);
      }
      builder.set(rows - 1, value);
    },
    build() {
      const columns = [...builders.values()].map(({ column, build }) => ({ column, vector: build(rows) }));
      return { table, day, rows, columns };
    },
  };
}
