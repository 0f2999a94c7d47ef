import type { Column } from '../../../tables/column.ts';
import type { Cell } from '../values/cell.ts';
import { batchOf } from '../vectors/batch.ts';
import { createVectorBuilder } from '../vectors/vector-builder.ts';
import type { Stage } from './stage.ts';

/** Rows that are known before the query runs: `print`, `getschema`. */
export function createRows(columns: readonly Column[], rows: readonly (readonly Cell[])[]): Stage {
  return {
    columns,
    async *open() {
      const vectors = columns.map(({ type }, place) => {
        const builder = createVectorBuilder(type, rows.length);
        for (const [row, cells] of rows.entries()) builder.set(row, cells[place] ?? null);
        return builder.build();
      });
      if (rows.length > 0) yield batchOf(rows.length, vectors);
    },
  };
}

const CLR_TYPES: Readonly<Record<Column['type'], string>> = {
  string: 'System.String',
  int: 'System.Int32',
  long: 'System.Int64',
  real: 'System.Double',
  bool: 'System.SByte',
  datetime: 'System.DateTime',
  timespan: 'System.TimeSpan',
  guid: 'System.Guid',
  dynamic: 'System.Object',
};

/** `getschema`: a row for each column. */
export function createSchema({ columns }: Stage): Stage {
  const schema: Column[] = [
    { name: 'ColumnName', type: 'string' },
    { name: 'ColumnOrdinal', type: 'long' },
    { name: 'DataType', type: 'string' },
    { name: 'ColumnType', type: 'string' },
  ];
  return createRows(
    schema,
    columns.map(({ name, type }, place) => [name, place, CLR_TYPES[type], type]),
  );
}
