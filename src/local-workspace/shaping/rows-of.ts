/** Makes rows of what was staged: which table, which columns, which times. What it makes of an entry depends on nothing but the entry and the columns there are. */
import { gunzipSync, inflateSync } from 'node:zlib';
import { dataTypeNamed } from '../../batch/data-types.ts';
import { readTime } from '../intake/ingestion/cell.ts';
import { isHonoured } from '../intake/time-bounds.ts';
import { MAX_INFLATED_BYTES, TIME_FIELDS } from '../intake/uploaded-records.ts';
import type { PlacedEntry, StagedCall, StagedRestored, StagedUpload } from '../staging/entry.ts';
import type { RowTag, TableBuilder } from '../tables/table-builder.ts';
import { type CounterRow, counterRows } from './counter-rows.ts';
import { type Destination, NO_GROUP } from './destination.ts';
import { addRestored } from './restored-rows.ts';
import type { Naming, TableColumns } from './table-columns.ts';
import { fitDeclared } from './value-types.ts';

/** Where senders put the name of their host, the first that is there counts. */
export const HOST_FIELDS: readonly string[] = ['Computer', 'Host', 'HostName', 'Hostname', 'hostname'];
const DAY_MS = 86_400_000;

type Fields = Readonly<Record<string, unknown>>;

/** Adds an entry's rows to where they belong; how many they are, and how long its JSON is. Throws when the body is not what was acknowledged. */
export function addRowsOf(entry: PlacedEntry, to: Destination): { readonly rows: number; readonly rawBytes: number } {
  const { head, seq } = entry;
  if (head.kind === 'restored') return addRestored(head, entry.body, seq, to);
  const plain = inflated(entry);
  const value: unknown = JSON.parse(plain.toString('utf8'));
  return { rows: addRecords(head, value, seq, to), rawBytes: plain.length };
}

function addRecords(head: Exclude<PlacedEntry['head'], StagedRestored>, value: unknown, seq: number, to: Destination): number {
  if (head.kind === 'call') return addCall(head, value as Fields[], seq, to);
  if (head.kind === 'upload') return addUpload(head, recordsOf(head, value), seq, to);
  const { table, receivedAt } = head;
  const own = {
    batchId: '',
    agentId: NO_GROUP,
    senderId: NO_GROUP,
    solution: '',
    records: 0,
    sha256: '',
    content: { shape: 'envelope' },
    dataType: table,
  } as const;
  return addUpload({ ...own, kind: 'upload', receivedAt, encoding: 'identity' }, value as Fields[], seq, to);
}

/** The table that a data type's records belong to. */
export function tableOf({ content, dataType }: Pick<StagedUpload, 'content' | 'dataType'>): string {
  if (content.shape === 'custom') return `${dataType.replace(/_CL$/i, '')}_CL`;
  return dataTypeNamed(dataType)?.table ?? (dataType.replace(/\W/g, '_') || '_');
}

function inflated({ head: { encoding }, body }: PlacedEntry): Buffer {
  const limit = { maxOutputLength: MAX_INFLATED_BYTES };
  if (encoding === 'identity') return body;
  return encoding === 'gzip' ? gunzipSync(body, limit) : inflateSync(body, limit);
}

function addUpload(head: StagedUpload, records: readonly Fields[], seq: number, to: Destination): number {
  const table = tableOf(head);
  const naming: Naming = head.content.shape === 'custom' ? 'custom' : 'native';
  const timeFields = head.content.shape === 'custom' && head.content.timeField !== undefined ? [head.content.timeField] : TIME_FIELDS;
  const columns = to.columnsOf(table);
  let row = 0;
  for (const record of records) {
    for (const fields of table === 'Perf' ? counterRows(record) : [record]) {
      const tag = tagOf(head, fields, { seq, row, timeFields });
      const builder = to.builderOf(table, Math.floor(tag.timeGenerated / DAY_MS));
      builder.begin(tag);
      setFields(fields, { columns, builder, naming, tag });
      row += 1;
    }
  }
  return row;
}

function recordsOf(head: StagedUpload, value: unknown): readonly Fields[] {
  const items = head.content.shape === 'custom' ? value : (value as { DataItems: unknown }).DataItems;
  // A few sources put one object instead of an array.
  return Array.isArray(items) ? items : [items as Fields];
}

interface Setting {
  readonly columns: TableColumns;
  readonly builder: TableBuilder;
  readonly naming: Naming;
  readonly tag: RowTag;
}

function setFields(fields: Fields | CounterRow, { columns, builder, naming, tag }: Setting): void {
  let overflow: [string, unknown][] | undefined;
  for (const name in fields) {
    const value = (fields as Fields)[name];
    if (isKeptByTag(name, value, tag)) continue;
    const placed = columns.place(name, value, naming);
    if (placed === 'overflow') {
      overflow ??= [];
      overflow.push([name, value]);
    } else if (placed) builder.set(placed.column, placed.value);
  }
  if (overflow) builder.set(columns.overflow(), JSON.stringify(Object.fromEntries(overflow)));
}

// Said once is enough; a time that was not honoured, or is written otherwise, is kept as it came.
function isKeptByTag(name: string, value: unknown, tag: RowTag): boolean {
  if (name === 'Computer') return value === tag.computer;
  return name === 'TimeGenerated' && value === new Date(tag.timeGenerated).toISOString();
}

function tagOf(head: StagedUpload, fields: Fields, place: { seq: number; row: number; timeFields: readonly string[] }): RowTag {
  const { agentId, senderId, dataType, receivedAt } = head;
  const told = place.timeFields.find((name) => typeof fields[name] === 'string');
  const host = HOST_FIELDS.find((name) => typeof fields[name] === 'string' && fields[name] !== '');
  return {
    seq: place.seq,
    row: place.row,
    agentId,
    dataType,
    timeGenerated: honoured(told === undefined ? undefined : fields[told], receivedAt),
    timeReceived: receivedAt,
    computer: host === undefined ? undefined : (fields[host] as string),
    managementGroup: senderId === agentId ? NO_GROUP : senderId,
  };
}

function addCall(head: StagedCall, records: readonly Fields[], seq: number, to: Destination): number {
  const columns = to.columnsOf(head.table);
  const declared = head.columns.filter(({ name }) => name !== 'TimeGenerated' && name !== 'Computer');
  const places = declared.map(({ name, type }) => columns.declared(name, type));
  const { clientId, receivedAt } = head;
  const tag = { seq, agentId: clientId, dataType: head.table, timeReceived: receivedAt, managementGroup: NO_GROUP };
  const knows = (name: string): boolean => head.columns.some((column) => column.name === name);
  const [timed, named] = [knows('TimeGenerated'), knows('Computer')];
  for (const [row, record] of records.entries()) {
    const timeGenerated = honoured(timed ? record['TimeGenerated'] : undefined, receivedAt);
    const computer = named ? fitDeclared(record['Computer'], 'string') : undefined;
    const builder = to.builderOf(head.table, Math.floor(timeGenerated / DAY_MS));
    builder.begin({ ...tag, row, timeGenerated, computer: computer as string | undefined });
    for (const [at, column] of places.entries()) {
      const value = fitDeclared(record[(declared[at] as { name: string }).name], column.type);
      if (value !== undefined) builder.set(column, value);
    }
  }
  return records.length;
}

function honoured(told: unknown, receivedAt: number): number {
  const time = readTime(told);
  return time !== undefined && isHonoured(time, receivedAt) ? time : receivedAt;
}
