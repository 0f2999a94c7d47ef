/** Rows that come back from an export: with their own times, under the names and types that they had. */
import { gunzipSync } from 'node:zlib';
import type { StagedRestored } from '../staging/entry.ts';
import { COMMON_COLUMNS, type Column, type ColumnType } from '../tables/column.ts';
import type { RowTag } from '../tables/table-builder.ts';
import { type Destination, NO_GROUP } from './destination.ts';
import { readSpan } from './read-span.ts';

const DAY_MS = 86_400_000;
const LINE_BREAK = 0x0a;
/** Larger than any part of an export is made. */
const MAX_CONTENT_BYTES = 1024 * 1024 * 1024;
/** Under which name a row had: it has a new one here. */
const FORMER_ID: Column = { name: 'RestoredItemId', type: 'guid' };
const COMMON = new Set(COMMON_COLUMNS.map(({ name }) => name));

type Row = Readonly<Record<string, unknown>>;

/** Adds the rows of an exported file. Throws when the body is not JSON lines. */
export function addRestored(head: StagedRestored, body: Buffer, seq: number, to: Destination): { readonly rows: number; readonly rawBytes: number } {
  const plain = gunzipSync(body, { maxOutputLength: MAX_CONTENT_BYTES });
  const columns = to.columnsOf(head.table);
  const own = Object.entries(head.columns).filter(([name]) => !COMMON.has(name));
  const places = own.map(([name, type]) => ({ name, column: columns.declared(name, type) }));
  const former = columns.declared(FORMER_ID.name, FORMER_ID.type);
  let rows = 0;
  for (const line of linesOf(plain)) {
    const row = JSON.parse(line) as Row;
    const tag = tagOf(row, head, { seq, row: rows });
    const builder = to.builderOf(head.table, Math.floor(tag.timeGenerated / DAY_MS));
    builder.begin(tag);
    for (const { name, column } of places) {
      const value = keptOf(row[name], column.type);
      if (value !== undefined) builder.set(column, value);
    }
    if (typeof row['_ItemId'] === 'string') builder.set(former, row['_ItemId']);
    rows += 1;
  }
  return { rows, rawBytes: plain.length };
}

function* linesOf(plain: Buffer): Generator<string> {
  for (let from = 0; from < plain.length; ) {
    const found = plain.indexOf(LINE_BREAK, from);
    const end = found < 0 ? plain.length : found;
    if (end > from) yield plain.toString('utf8', from, end);
    from = end + 1;
  }
}

function tagOf(row: Row, { table, receivedAt }: StagedRestored, place: { readonly seq: number; readonly row: number }): RowTag {
  const time = (name: string, otherwise: number): number => {
    const told = Date.parse(String(row[name]));
    return Number.isNaN(told) ? otherwise : told;
  };
  const timeReceived = time('_TimeReceived', receivedAt);
  const { Computer: computer, MG: group } = row;
  return {
    ...place,
    agentId: NO_GROUP,
    dataType: table,
    timeGenerated: time('TimeGenerated', timeReceived),
    timeReceived,
    computer: typeof computer === 'string' ? computer : undefined,
    managementGroup: typeof group === 'string' ? group : NO_GROUP,
  };
}

// As the export wrote it, turned back.
function keptOf(value: unknown, type: ColumnType): number | string | undefined {
  if (value === undefined || value === null) return undefined;
  switch (type) {
    case 'string':
    case 'guid':
      return String(value);
    case 'dynamic':
      return JSON.stringify(value);
    case 'datetime':
      return Date.parse(String(value));
    case 'timespan':
      return readSpan(String(value));
    case 'bool':
      return value === true ? 1 : 0;
    case 'int':
    case 'long':
    case 'real':
      return Number(value);
  }
}
