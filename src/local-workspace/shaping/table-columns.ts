/**
 * The columns of one table, as data brings them. A sender's field has one column for each type of value that came under its name, so that no
 * value is turned into what it is not.
 */
import type { KnownColumn } from '../tables/catalogue.ts';
import { COMMON_COLUMNS, type ColumnType } from '../tables/column.ts';
import { knownField } from './known-columns.ts';
import { customTypeOf, type Fitting, fitValue, nativeTypeOf } from './value-types.ts';

/** As the service has it. What comes under further names is kept together, as JSON, in `AdditionalFields`. */
export const MAX_COLUMNS = 500;
const OVERFLOW_NAME = 'AdditionalFields';
/** No sender's field is meant: its fields are each in there under their own names. */
export const OVERFLOW_SOURCE = '$more';

const MAX_NAME_LENGTH = 128;
const SUFFIXES: Readonly<Record<ColumnType, string>> = {
  string: '_s',
  real: '_d',
  bool: '_b',
  datetime: '_t',
  guid: '_g',
  int: '_d',
  long: '_d',
  timespan: '_d',
  dynamic: '_o',
};
const COMMON_NAMES = new Set(COMMON_COLUMNS.map(({ name }) => name));

/** How a table names and types its columns. `custom`: by suffix, as the Data Collector API · `native`: by the sender's own names. */
export type Naming = 'custom' | 'native';

export interface Placed {
  readonly column: KnownColumn;
  readonly value: number | string;
}

export interface TableColumns {
  readonly table: string;
  /** Where a sender's value goes; undefined for null, `overflow` when the table takes no more columns. */
  place(source: string, value: unknown, naming: Naming): Placed | undefined | 'overflow';
  /** The column declared under this name and type, made at the first call. */
  declared(name: string, type: ColumnType): KnownColumn;
  /** The column for what came under further names, made at the first call. */
  overflow(): KnownColumn;
  all(): readonly KnownColumn[];
  /** Columns that came since `kept` was called last. */
  fresh(): readonly KnownColumn[];
  /** Says that the fresh columns are in the catalogue. */
  kept(): void;
}

export function createTableColumns(table: string, known: readonly KnownColumn[]): TableColumns {
  const bySource = new Map<string, KnownColumn[]>();
  const declaredByName = new Map<string, KnownColumn[]>();
  const byName = new Map<string, KnownColumn>();
  const sharers = new Map<string, string>();
  let fresh: KnownColumn[] = [];

  const enter = (column: KnownColumn): KnownColumn => {
    byName.set(column.name, column);
    // A declared name says what its column is called; a name that came with data says where the column's name was made from.
    const group = column.isDeclared ? declaredByName : bySource;
    const variants = group.get(column.source);
    if (variants) variants.push(column);
    else group.set(column.source, [column]);
    return column;
  };
  for (const column of known) enter(column);

  const add = (column: KnownColumn): KnownColumn => {
    fresh.push(column);
    return enter(column);
  };

  const make = (source: string, value: unknown, naming: Naming): Placed | undefined | 'overflow' => {
    const type = naming === 'custom' ? customTypeOf(value) : (typeKnown(table, source, value) ?? nativeTypeOf(value));
    if (type === undefined) return undefined;
    const name = nameOf(table, source, type, naming, bySource.has(source));
    const column = sharedBy(source, name, type) ?? (byName.size < MAX_COLUMNS ? add({ name: freeName(name, byName), type, source }) : undefined);
    return column ? { column, value: fitValue(value, type, 'convert') as number | string } : 'overflow';
  };

  // A column that was declared, or came back from an export, under the very name that a sender's field would get is that field's; of one field only.
  const sharedBy = (source: string, name: string, type: ColumnType): KnownColumn | undefined => {
    const found = byName.get(name);
    if (!found?.isDeclared || found.type !== type || (sharers.get(name) ?? source) !== source) return undefined;
    sharers.set(name, source);
    bySource.set(source, [...(bySource.get(source) ?? []), found]);
    return found;
  };

  return {
    table,
    place(source, value, naming) {
      if (value === null || value === undefined) return undefined;
      for (const column of bySource.get(source) ?? []) {
        const fitted = fitValue(value, column.type, fittingOf(table, source, naming, column.type));
        if (fitted !== undefined) return { column, value: fitted };
      }
      return make(source, value, naming);
    },
    declared(name, type) {
      const same = byName.get(name);
      if (same?.type === type) return same;
      const found = declaredByName.get(name)?.find((column) => column.type === type);
      return found ?? add({ name: freeName(same ? `${name}${SUFFIXES[type]}` : name, byName), type, source: name, isDeclared: true });
    },
    overflow() {
      const found = bySource.get(OVERFLOW_SOURCE)?.[0] ?? sharedBy(OVERFLOW_SOURCE, OVERFLOW_NAME, 'dynamic');
      return found ?? add({ name: freeName(OVERFLOW_NAME, byName), type: 'dynamic', source: OVERFLOW_SOURCE });
    },
    all: () => [...byName.values()],
    fresh: () => fresh,
    kept() {
      fresh = [];
    },
  };
}

function typeKnown(table: string, source: string, value: unknown): ColumnType | undefined {
  const type = knownField(table, source)?.type;
  return type !== undefined && fitValue(value, type, 'convert') !== undefined ? type : undefined;
}

// A native column of unknown type keeps texts as they are: "007" is no 7.
function fittingOf(table: string, source: string, naming: Naming, type: ColumnType): Fitting {
  return naming === 'custom' || knownField(table, source)?.type === type ? 'convert' : 'exact';
}

function nameOf(table: string, source: string, type: ColumnType, naming: Naming, hasVariants: boolean): string {
  const plain = source.replace(/\W/g, '_').slice(0, MAX_NAME_LENGTH) || '_';
  const letterFirst = /^\d/.test(plain) ? `_${plain}` : plain;
  if (naming === 'custom') return `${letterFirst}${SUFFIXES[type]}`;
  const name = knownField(table, source)?.column ?? letterFirst;
  return hasVariants ? `${name}${SUFFIXES[type]}` : name;
}

function freeName(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  let name = wanted;
  while (taken.has(name) || COMMON_NAMES.has(name)) name += '_';
  return name;
}
