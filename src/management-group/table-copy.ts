/** Rows of a table, taken from one relay's file and put into another's: only what differs is written, and it is known what that was. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';

/** A row as JSON can hold it: blobs are base64. */
export type CopiedRow = Readonly<Record<string, string | number | null>>;

/** What of a table goes into a copy. Columns that are not named stay each relay's own. */
export interface CopiedTable {
  readonly name: string;
  /** The columns by which a row is known. */
  readonly key: readonly string[];
  /** The others that are copied. */
  readonly columns: readonly string[];
  /** Those of them that are blobs. */
  readonly blobs?: readonly string[];
  /** Columns that a new row needs besides, and the copied column that they begin as. */
  readonly beginAs?: Readonly<Record<string, string>>;
}

/** How a table differed from a copy. */
export interface TableChange {
  /** Rows as they are now. */
  readonly put: readonly CopiedRow[];
  /** Rows as they were. */
  readonly gone: readonly CopiedRow[];
}

/** All rows of a table, in the order of their keys. */
export function readRows(database: DatabaseSync, { name, key, columns, blobs = [] }: CopiedTable): CopiedRow[] {
  const rows = database.prepare(`SELECT ${[...key, ...columns].join(', ')} FROM ${name} ORDER BY ${key.join(', ')}`).all() as Record<string, SQLOutputValue>[];
  for (const row of rows) for (const blob of blobs) row[blob] = base64(row[blob]);
  return rows as CopiedRow[];
}

/** What must be done to a table for it to be as the copy says. Nothing is written. */
export function changeTo(database: DatabaseSync, table: CopiedTable, rows: readonly CopiedRow[]): TableChange {
  const before = new Map(readRows(database, table).map((row) => [keyIn(row, table), row]));
  const put = rows.filter((row) => !isSame(before.get(keyIn(row, table)), row, table));
  const kept = new Set(rows.map((row) => keyIn(row, table)));
  return { put, gone: [...before].flatMap(([key, row]) => (kept.has(key) ? [] : [row])) };
}

/** Writes the rows that are new or other. */
export function putRows(database: DatabaseSync, table: CopiedTable, rows: readonly CopiedRow[]): void {
  const { name, key, columns, blobs = [], beginAs = {} } = table;
  const sources = [...key, ...columns, ...Object.values(beginAs)];
  const names = [...key, ...columns, ...Object.keys(beginAs)];
  const changes = columns.map((column) => `${column} = excluded.${column}`).join(', ');
  const save = database.prepare(
    `INSERT INTO ${name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')}) ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${changes}`,
  );
  for (const row of rows) save.run(...sources.map((column) => boundAs(row[column], blobs.includes(column))));
}

/** Deletes the rows that are gone. */
export function deleteRows(database: DatabaseSync, { name, key }: CopiedTable, rows: readonly CopiedRow[]): void {
  const remove = database.prepare(`DELETE FROM ${name} WHERE ${key.map((column) => `${column} = ?`).join(' AND ')}`);
  for (const row of rows) remove.run(...key.map((column) => row[column] ?? null));
}

/** A row's key as one text. */
export function keyIn(row: CopiedRow, { key }: Pick<CopiedTable, 'key'>): string {
  return key.map((column) => String(row[column])).join(' ');
}

function isSame(before: CopiedRow | undefined, row: CopiedRow, { columns }: CopiedTable): boolean {
  return before !== undefined && columns.every((column) => before[column] === (row[column] ?? null));
}

function boundAs(value: string | number | null | undefined, isBlob: boolean): SQLInputValue {
  if (value === undefined || value === null) return null;
  return isBlob ? Buffer.from(String(value), 'base64') : value;
}

function base64(value: SQLOutputValue | undefined): string | null {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : null;
}
