/** Says which rows of a table a purge removes. Pure; the engine's thread uses it on each segment. */
import { RelayError } from '../../errors.ts';
import type { TableSchema } from '../tables/column.ts';
import { SEQ } from '../tables/hidden-columns.ts';
import type { RowFilter } from '../tables/purge.ts';
import { NO_TEXT, type TextVector, type Vector } from '../tables/vector.ts';
import type { PurgeFilter } from './purge-request.ts';
import { type ValueTest, valueTest } from './purge-values.ts';

/** What all rows of a table have alike: a filter on it alone would purge the whole table. */
const ALIKE: ReadonlySet<string> = new Set(['TenantId', 'Type']);
const MAX_SHOWN_CHARS = 64;

type RowTest = (row: number) => boolean;

interface Compiled {
  readonly column: string;
  readonly test: Exclude<ValueTest, { readonly on: 'nothing' }>;
}

/** Filters as a rule for rows, or why they cannot be used. */
export type ReadFilters = { readonly ok: true; readonly filter: RowFilter } | { readonly ok: false; readonly problem: string };

/** Reads filters for a table. A row goes when all of them match. The problem names the column, never a value. */
export function readFilters(filters: readonly PurgeFilter[], schema: TableSchema): ReadFilters {
  const compiled: Compiled[] = [];
  if (filters.length === 0) return { ok: false, problem: 'There are no filters. Give at least one, or delete the table.' };
  for (const filter of filters) {
    const read = readFilter(filter, schema);
    if (typeof read === 'string') return { ok: false, problem: read };
    compiled.push(read);
  }
  return { ok: true, filter: rowFilter(compiled) };
}

/** As `readFilters`, for filters that were read before. Throws `relay.local-workspace.bad-purge-filter`. */
export function compileFilters(filters: readonly PurgeFilter[], schema: TableSchema): RowFilter {
  const read = readFilters(filters, schema);
  if (read.ok) return read.filter;
  throw new RelayError('relay.local-workspace.bad-purge-filter', `The filters cannot be used on table ${schema.name}: ${read.problem}`);
}

/** The same filter, only for rows that staged entries up to this place brought. */
export function onlyThrough({ columns, matches }: RowFilter, throughSeq: number): RowFilter {
  return {
    columns: [...new Set([...columns, SEQ.name])],
    matches(vectors, rows) {
      const seqs = vectors.get(SEQ.name);
      // Passing over the rows would be a purge that says it is done and is not.
      if (seqs?.kind !== 'number') throw new RelayError('relay.local-workspace.rows-without-place', `Rows have no ${SEQ.name}: check the segment's file.`);
      const goes = matches(vectors, rows);
      return (row) => (seqs.values[row] as number) <= throughSeq && goes(row);
    },
  };
}

function readFilter(filter: PurgeFilter, schema: TableSchema): Compiled | string {
  const shown = filter.column.slice(0, MAX_SHOWN_CHARS);
  const column = schema.columns.find(({ name }) => name === filter.column);
  if (!column) {
    const alike = schema.columns.find(({ name }) => name.toLowerCase() === filter.column.toLowerCase());
    return `Table ${schema.name} has no column "${shown}". ${alike ? `Write "${alike.name}".` : 'Look at the columns that it has.'}`;
  }
  if (ALIKE.has(column.name)) return `All rows of a table have the same ${column.name}. Filter on another column, or delete the table.`;
  const test = valueTest(filter, column.type);
  return test.on === 'nothing' ? `Column "${column.name}" cannot be filtered so: ${test.problem}.` : { column: column.name, test };
}

function rowFilter(compiled: readonly Compiled[]): RowFilter {
  return {
    columns: [...new Set(compiled.map(({ column }) => column))],
    matches(vectors) {
      const tests = compiled.map(({ column, test }) => rowTest(vectors.get(column), test));
      return tests.includes(never) ? never : (row) => tests.every((matches) => matches(row));
    },
  };
}

// A column that none of these rows has.
const never: RowTest = () => false;

function rowTest(vector: Vector | undefined, test: Compiled['test']): RowTest {
  if (vector?.kind === 'number' && test.on === 'number') return (row) => test.test(vector.values[row] as number);
  return vector?.kind === 'text' && test.on === 'text' ? textRowTest(vector, test.test) : never;
}

function textRowTest({ dictionary, codes }: TextVector, test: (text: string) => boolean): RowTest {
  const goes = Uint8Array.from(dictionary, (text) => Number(test(text)));
  if (!goes.includes(1)) return never;
  return (row) => {
    const code = codes[row] as number;
    return code !== NO_TEXT && goes[code] === 1;
  };
}
