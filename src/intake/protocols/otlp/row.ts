/**
 * Log records as rows of custom records. A column is there only when the record has something for it. Rows are put together from columns in
 * JSON, without braces: what records have in common is written once.
 */
import { type Attributes, type LogRecord, MAX_RECORD_BYTES, type Scope, tooLarge } from './log-record.ts';

const NANOS_A_MICROSECOND = 1_000n;
const NANOS_A_MILLISECOND = 1_000_000n;

/** Columns of a row as JSON without its braces, empty when there are none, and their bytes. */
export interface Columns {
  readonly json: string;
  readonly bytes: number;
}

export function resourceColumns(attributes: Attributes, schemaUrl: string): Columns {
  const host = attributes['host.name'];
  return columnsOf({
    Computer: typeof host === 'string' ? textOrNone(host) : undefined,
    Resource: attributesOrNone(attributes),
    ResourceSchemaUrl: textOrNone(schemaUrl),
  });
}

export function scopeColumns({ name, version, attributes }: Scope, schemaUrl: string): Columns {
  return columnsOf({
    ScopeName: textOrNone(name),
    ScopeVersion: textOrNone(version),
    ScopeAttributes: attributesOrNone(attributes),
    ScopeSchemaUrl: textOrNone(schemaUrl),
  });
}

export function recordColumns(record: LogRecord): Columns {
  return columnsOf({
    TimeGenerated: isoOrNone(record.time === 0n ? record.observedTime : record.time),
    ObservedTime: isoOrNone(record.observedTime),
    SeverityNumber: numberOrNone(record.severityNumber),
    SeverityText: textOrNone(record.severityText),
    EventName: textOrNone(record.eventName),
    Body: record.body,
    Attributes: attributesOrNone(record.attributes),
    DroppedAttributes: numberOrNone(record.droppedAttributes),
    TraceId: textOrNone(record.traceId),
    SpanId: textOrNone(record.spanId),
    Flags: numberOrNone(record.flags),
  });
}

/** Puts columns one behind the other. Throws `UnfitRecord` when they are more than one row may have. */
export function joined(first: Columns, second: Columns): Columns {
  if (first.bytes === 0) return second;
  if (second.bytes === 0) return first;
  const bytes = first.bytes + 1 + second.bytes;
  if (bytes > MAX_RECORD_BYTES) throw tooLarge();
  return { json: `${first.json},${second.json}`, bytes };
}

function columnsOf(columns: object): Columns {
  const json = JSON.stringify(columns).slice(1, -1);
  const bytes = Buffer.byteLength(json);
  if (bytes > MAX_RECORD_BYTES) throw tooLarge();
  return { json, bytes };
}

function textOrNone(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function numberOrNone(number: number): number | undefined {
  return number === 0 ? undefined : number;
}

function attributesOrNone(attributes: Attributes): Attributes | undefined {
  for (const _ in attributes) return attributes;
  return undefined;
}

// Six decimals at most: more are not taken by every kind of table.
function isoOrNone(nanos: bigint): string | undefined {
  if (nanos === 0n) return undefined;
  const text = new Date(Number(nanos / NANOS_A_MILLISECOND)).toISOString();
  const microseconds = (nanos % NANOS_A_MILLISECOND) / NANOS_A_MICROSECOND;
  return microseconds === 0n ? text : `${text.slice(0, -1)}${String(microseconds).padStart(3, '0')}Z`;
}
