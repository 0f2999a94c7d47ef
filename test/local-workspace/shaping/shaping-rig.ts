import { addRowsOf } from '../../../src/local-workspace/shaping/rows-of.ts';
import { createTableColumns, type TableColumns } from '../../../src/local-workspace/shaping/table-columns.ts';
import type { StagedEntry } from '../../../src/local-workspace/staging/entry.ts';
import { createTableBuilder, type TableBuilder } from '../../../src/local-workspace/tables/table-builder.ts';
import { cellOf } from '../tables/store-rig.ts';

export interface Shaped {
  /** `Name: type`, the table's own columns. */
  readonly columns: readonly string[];
  /** What the rows have, by column. */
  readonly rows: readonly Readonly<Record<string, unknown>>[];
}

export interface Shaping {
  /** Adds entries, as the next ones. */
  add(...entries: readonly StagedEntry[]): Shaping;
  table(name: string): Shaped;
  tables(): readonly string[];
  /** Days since 1970, of the rows of a table. */
  days(name: string): readonly number[];
}

/** Rows of staged entries, without files. */
export function shaping(): Shaping {
  const columns = new Map<string, TableColumns>();
  const builders = new Map<string, TableBuilder>();
  let seq = 0;
  const to = {
    columnsOf: (table: string): TableColumns => getOr(columns, table, () => createTableColumns(table, [])),
    builderOf: (table: string, day: number): TableBuilder => getOr(builders, `${day} ${table}`, () => createTableBuilder(table, day)),
  };
  const own = (name: string): TableBuilder[] => [...builders.values()].filter(({ table }) => table === name);
  const rig: Shaping = {
    add(...entries) {
      for (const entry of entries) {
        seq += 1;
        addRowsOf({ ...entry, seq }, to);
      }
      return rig;
    },
    table: (name) => ({
      columns: (columns.get(name)?.all() ?? []).map((column) => `${column.name}: ${column.type}`),
      rows: own(name).flatMap(rowsOf),
    }),
    tables: () => [...columns.keys()],
    days: (name) => own(name).map(({ day }) => day),
  };
  return rig;
}

function rowsOf(builder: TableBuilder): Record<string, unknown>[] {
  const { rows, columns } = builder.build();
  return Array.from({ length: rows }, (_, row) => {
    const cells = columns.map(({ column, vector }) => [column.name, cellOf(vector, row)] as const);
    return Object.fromEntries(cells.filter(([, cell]) => cell !== undefined));
  });
}

/** Of each row these columns alone. */
export function only({ rows }: Shaped, ...names: readonly string[]): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => names.includes(name))));
}

/** Of each row what its sender's fields became. */
export function own({ rows }: Shaped): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !SHARED.has(name))));
}

const SHARED = new Set(['TimeGenerated', '_TimeReceived', 'Computer', 'MG', '$seq', '$row', '$agent', '$dataType']);

function getOr<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key) ?? make();
  map.set(key, found);
  return found;
}
