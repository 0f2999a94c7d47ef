import { isIP } from 'node:net';
import type { SyslogMessage } from './syslog-message.ts';

/** A message as the Linux agent sends it (wire protocol §4), with what RFC 5424 has beyond that. Times are ISO 8601 in UTC. */
export interface SyslogRecord {
  /** Empty when the message names no program. */
  readonly ident: string;
  /** When it came. */
  readonly Timestamp: string;
  /** When it was written; when it came, where it does not say (RFC 3164 §4.3.2). */
  readonly EventTime: string;
  readonly Host: string;
  /** Of the host where its name is an address, else of whoever sent the message. */
  readonly HostIP: string;
  readonly Message: string;
  readonly ProcessId?: string;
  readonly Facility: string;
  readonly Severity: string;
  readonly MsgId?: string;
  readonly StructuredData?: string;
}

/** Of the connection that a message came by. */
export interface Whence {
  /** The sender's name, for messages that name no host. */
  readonly hostName: string;
  readonly address: string;
  /** When it came: ISO 8601 in UTC. */
  readonly timestamp: string;
}

// RFC 5424 §6.2.1, by code, with the names the Linux agent uses.
const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp', 'ntp', 'audit', 'alert', 'clock'],
  ...['local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];
const SEVERITIES = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'];

export function recordOf(message: SyslogMessage, { hostName, address, timestamp }: Whence): SyslogRecord {
  const { host = hostName, processId, messageId, structuredData } = message;
  return {
    ident: message.ident ?? '',
    Timestamp: timestamp,
    EventTime: message.time ?? timestamp,
    Host: host,
    HostIP: isIP(host) ? host : address,
    Message: message.message,
    ...(processId === undefined ? {} : { ProcessId: processId }),
    Facility: FACILITIES[message.facility] ?? 'user',
    Severity: SEVERITIES[message.severity] ?? 'notice',
    ...(messageId === undefined ? {} : { MsgId: messageId }),
    ...(structuredData === undefined ? {} : { StructuredData: structuredData }),
  };
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const HALF_A_CHARACTER = /\uFFFD$/;

/** The text of a message's bytes: UTF-8, what is none replaced, without the line end or NUL that some senders count in. */
export function textOf(bytes: Buffer, isCut: boolean): string {
  if (isCut) return bytes.toString('utf8').replace(HALF_A_CHARACTER, '');
  return bytes.toString('utf8', 0, endOf(bytes));
}

function endOf(bytes: Buffer): number {
  const last = bytes.length - 1;
  if (bytes[last] === LINE_FEED) return bytes[last - 1] === CARRIAGE_RETURN ? last - 1 : last;
  return bytes[last] === 0 ? last : bytes.length;
}
