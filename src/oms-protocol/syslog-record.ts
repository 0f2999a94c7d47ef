/** A record of `LINUX_SYSLOGS_BLOB` in the Linux agent's shape (wire protocol §4). Times are ISO 8601 in UTC. */
export interface SyslogRecord {
  /** Empty when the message names no program. */
  readonly ident: string;
  /** When it was taken. */
  readonly Timestamp: string;
  /** When it was written, as far as it says; when it was taken otherwise (RFC 3164 §4.3.2). */
  readonly EventTime: string;
  readonly Host: string;
  /** Of the host where its name is an address, else of whoever sent the message. */
  readonly HostIP: string;
  readonly Message: string;
  readonly ProcessId?: string;
  readonly Facility: string;
  readonly Severity: string;
  /** What RFC 5424 has beyond the agent's shape. */
  readonly MsgId?: string;
  readonly StructuredData?: string;
}

// RFC 5424 §6.2.1, by code, with the names the Linux agent uses.
const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

/** A facility's name by its code; `user` for what is none. */
export function facilityOf(code: unknown): string {
  return FACILITIES[Number(code ?? Number.NaN)] ?? 'user';
}

/** A severity's name by its code; `info` for what is none. */
export function severityOf(code: unknown): string {
  return SEVERITIES[Number(code ?? Number.NaN)] ?? 'info';
}
