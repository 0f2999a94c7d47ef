import { basename, dirname } from 'node:path';
import type { SyslogRecord } from '../../oms-protocol/syslog-record.ts';
import { cutMessage, priorityOf } from './syslog-message.ts';

const DAY_MS = 86_400_000;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

// RFC 3164 §4.1 as it stands in files, with the ISO 8601 time that newer syslog daemons write instead.
const SYSLOG_LINE =
  /^(?:<(?<priority>\d{1,3})>)?(?:(?<month>[A-Z][a-z]{2}) +(?<day>\d{1,2}) (?<clock>\d\d:\d\d:\d\d)|(?<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))) (?<host>\S+) (?<ident>[^\s:[\]]{1,128})(?:\[(?<processId>\d{1,10})\])?: ?(?<message>.*)$/s;
// As dpkg, apt and update-alternatives begin their lines: local time, perhaps behind one word.
const DATED_LINE = /^(?:\S{1,40} +)?(\d{4}-\d\d-\d\d) +(\d\d:\d\d:\d\d)\b/;
const FACILITY_OF_FILE = new Map([
  ['auth', 'authpriv'],
  ['secure', 'authpriv'],
  ['kern', 'kern'],
  ['dmesg', 'kern'],
  ['cron', 'cron'],
  ['maillog', 'mail'],
  ['mail', 'mail'],
  ['daemon', 'daemon'],
]);

// The groups of SYSLOG_LINE; each line has either month, day and clock or iso.
interface LineParts {
  readonly priority?: string;
  readonly month?: string;
  readonly day?: string;
  readonly clock?: string;
  readonly iso?: string;
  readonly host?: string;
  readonly ident?: string;
  readonly processId?: string;
  readonly message?: string;
}

/** Where a line was found, and by whom. */
export interface LineContext {
  /** The file's path. */
  readonly path: string;
  /** This machine's short name. */
  readonly hostName: string;
  /** This machine's address. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Reads a line of a log file: by its syslog parts where it has them, else whole, under the file's name. */
export function readLogLine(line: string, context: LineContext): SyslogRecord {
  const parts: LineParts | undefined = SYSLOG_LINE.exec(line)?.groups;
  return parts ? fromParts(parts, context) : wholeLine(line, context);
}

function fromParts(parts: LineParts, context: LineContext): SyslogRecord {
  const { facility, severity } = parts.priority === undefined ? fileDefaults(context.path) : priorityOf(Number(parts.priority));
  const host = (parts.host ?? '').split('.')[0] || context.hostName;
  return {
    ident: parts.ident ?? '',
    Timestamp: new Date(context.now).toISOString(),
    EventTime: timeText(parts.iso === undefined ? yearlessTime(parts, context.now) : Date.parse(parts.iso), context.now),
    Host: host,
    HostIP: host === context.hostName ? context.address : 'Unknown IP',
    Message: cutMessage(parts.message ?? ''),
    ...(parts.processId === undefined ? {} : { ProcessId: parts.processId }),
    Facility: facility,
    Severity: severity,
  };
}

function wholeLine(line: string, context: LineContext): SyslogRecord {
  const [, date, clock] = DATED_LINE.exec(line) ?? [];
  const { facility, severity } = fileDefaults(context.path);
  return {
    ident: identOf(context.path),
    Timestamp: new Date(context.now).toISOString(),
    EventTime: timeText(date ? Date.parse(`${date}T${clock}`) : context.now, context.now),
    Host: context.hostName,
    HostIP: context.address,
    Message: cutMessage(line),
    Facility: facility,
    Severity: severity,
  };
}

// RFC 3164 times have no year and are local: the latest year that does not put the line more than a day ahead.
function yearlessTime(parts: LineParts, now: number): number {
  const month = MONTHS.indexOf(parts.month ?? '');
  const [hours = 0, minutes = 0, seconds = 0] = (parts.clock ?? '').split(':').map(Number);
  const year = new Date(now).getFullYear();
  const inYear = (candidate: number): number => new Date(candidate, month, Number(parts.day), hours, minutes, seconds).getTime();
  return inYear(year) > now + DAY_MS ? inYear(year - 1) : inYear(year);
}

function timeText(timeMs: number, now: number): string {
  return new Date(Number.isNaN(timeMs) ? now : timeMs).toISOString();
}

// `/var/log/dpkg.log` is dpkg, `/var/log/apt/history.log` is apt-history.
function identOf(path: string): string {
  const name = basename(path).replace(/\.log$/, '');
  const folder = basename(dirname(path));
  return folder === 'log' ? name : `${folder}-${name}`;
}

function fileDefaults(path: string): { facility: string; severity: string } {
  return { facility: FACILITY_OF_FILE.get(basename(path).replace(/\.(?:log|info|err|warn)$/, '')) ?? 'user', severity: 'info' };
}
