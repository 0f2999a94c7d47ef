/** A line of a system log, in the Linux agent's shape (§4). Times are ISO 8601 in UTC. */
export interface SyslogRecord {
  readonly ident: string;
  /** When the agent took the line. */
  readonly Timestamp: string;
  /** When it was written, as far as the line says. */
  readonly EventTime: string;
  readonly Host: string;
  readonly HostIP: string;
  readonly Message: string;
  readonly ProcessId?: string;
  readonly Facility: string;
  readonly Severity: string;
}

/** Longest message kept, in bytes; the rest of a line is cut off. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024;

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

/** Facility and severity of a syslog priority, such as 86 or `86`. */
export function priorityOf(priority: number): { facility: string; severity: string } {
  return { facility: facilityOf(priority >> 3), severity: severityOf(priority & 7) };
}

/** At most 16 KiB of a message, without half a character at its end and without trailing white space. */
export function cutMessage(text: string): string {
  const bytes = Buffer.from(text);
  const kept = bytes.length <= MAX_MESSAGE_BYTES ? text : bytes.toString('utf8', 0, MAX_MESSAGE_BYTES).replace(/\uFFFD$/, '');
  return kept.trimEnd();
}
