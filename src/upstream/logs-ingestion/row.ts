/** One record as one row of a stream: its bytes as they were written, the columns that it lacks spliced in before its last brace. */
import { isReplaced, type RecordTime, timeOf } from './record-time.ts';

/** What every record of a batch gets, and how its time is found. */
export interface RowContext {
  /** Columns with the same value for all, such as RelayBatchId. */
  readonly constants: Readonly<Record<string, string>>;
  /** Whether a time that the service would replace is kept in OriginalTime too. */
  readonly keepsOriginalTime: boolean;
  readonly timeField: string | undefined;
  /** Milliseconds since 1970; the time of records that have none. */
  readonly receivedAt: number;
  readonly now: number;
}

export type Row =
  /** The record's own bytes, all but its last brace when something is added. */
  | { readonly outcome: 'row'; readonly added: string; readonly isEmpty: boolean; readonly ms: number }
  | RewrittenRow
  | { readonly outcome: 'bad'; readonly reason: string };

/** A record that holds a TimeGenerated nobody can read: it had to be written anew. */
export interface RewrittenRow {
  readonly outcome: 'rewritten';
  readonly text: string;
  readonly ms: number;
}

/** Judges a record's bytes and says what they lack. */
export function rowOf(json: Buffer, from: number, to: number, context: RowContext): Row {
  const record = parse(json.toString('latin1', from, to));
  if (record === undefined) return { outcome: 'bad', reason: 'the record is not a JSON object' };
  const own = timeOf(record, context.timeField);
  const time = own ?? { ms: context.receivedAt, text: new Date(context.receivedAt).toISOString() };
  const columns = columnsFor(record, time, context);
  if (!Object.hasOwn(record, 'TimeGenerated')) return rowWith({ TimeGenerated: time.text, ...columns }, record, time.ms);
  if (record['TimeGenerated'] === time.text || isKept(record['TimeGenerated'], time)) return rowWith(columns, record, time.ms);
  const readable = JSON.parse(json.toString('utf8', from, to)) as object;
  return { outcome: 'rewritten', text: JSON.stringify({ ...readable, TimeGenerated: time.text, ...columns }), ms: time.ms };
}

function rowWith(columns: Readonly<Record<string, string>>, record: object, ms: number): Row {
  const entries = Object.entries(columns);
  const added = entries.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',');
  return { outcome: 'row', added, isEmpty: Object.keys(record).length === 0, ms };
}

function columnsFor(record: Readonly<Record<string, unknown>>, time: RecordTime, context: RowContext): Record<string, string> {
  const columns: Record<string, string> = {};
  if (context.keepsOriginalTime && isReplaced(time.ms, context.now)) columns['OriginalTime'] = time.text;
  for (const [name, value] of Object.entries(context.constants)) columns[name] = value;
  for (const name of Object.keys(columns)) if (Object.hasOwn(record, name)) delete columns[name];
  return columns;
}

// The same moment in another spelling that is readable stays as it was written.
function isKept(value: unknown, time: RecordTime): boolean {
  return typeof value === 'string' && Date.parse(value) === time.ms;
}

// Latin-1 makes one character of each byte: what is looked at is ASCII, and the bytes that go on are the record's own.
function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
