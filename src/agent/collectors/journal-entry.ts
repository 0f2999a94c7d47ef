import { facilityOf, type SyslogRecord, severityOf } from '../../oms-protocol/syslog-record.ts';
import { cutMessage } from './syslog-message.ts';

/** An entry of the journal as journalctl prints it, reduced to what a record needs. */
export interface JournalEntry {
  readonly cursor: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly message: string;
  readonly ident: string;
  readonly processId: string | undefined;
  readonly facility: string;
  readonly severity: string;
}

// As journalctl names them: text, an array, or null.
type Field = '__CURSOR' | '__REALTIME_TIMESTAMP' | 'MESSAGE' | 'PRIORITY' | 'SYSLOG_FACILITY' | 'SYSLOG_IDENTIFIER' | 'SYSLOG_PID' | '_COMM' | '_PID';
type Fields = Readonly<Partial<Record<Field, unknown>>>;

/** Reads one line of `journalctl -o json`; undefined when it is no entry with a message. */
export function readJournalEntry(line: string): JournalEntry | undefined {
  const fields = parse(line);
  const cursor = textOf(fields?.__CURSOR);
  const message = textOf(fields?.MESSAGE);
  const timeMs = Math.floor(Number(textOf(fields?.__REALTIME_TIMESTAMP)) / 1_000);
  if (!fields || !cursor || message === undefined || !Number.isFinite(timeMs)) return undefined;
  return {
    cursor,
    timeMs,
    message: cutMessage(message),
    ident: textOf(fields.SYSLOG_IDENTIFIER) ?? textOf(fields._COMM) ?? 'unknown',
    processId: textOf(fields.SYSLOG_PID) ?? textOf(fields._PID),
    facility: facilityOf(textOf(fields.SYSLOG_FACILITY)),
    severity: severityOf(textOf(fields.PRIORITY)),
  };
}

/** The entry as a record of this machine. */
export function recordOfEntry(entry: JournalEntry, own: { hostName: string; address: string; now: number }): SyslogRecord {
  return {
    ident: entry.ident,
    Timestamp: new Date(own.now).toISOString(),
    EventTime: new Date(entry.timeMs).toISOString(),
    Host: own.hostName,
    HostIP: own.address,
    Message: entry.message,
    ...(entry.processId === undefined ? {} : { ProcessId: entry.processId }),
    Facility: entry.facility,
    Severity: entry.severity,
  };
}

function parse(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

// journalctl writes bytes that are no UTF-8 as an array of numbers, and a field that occurs twice as an array of its values.
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'number') ? Buffer.from(value).toString() : textOf(value[0]);
}
