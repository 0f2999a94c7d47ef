import { isIP } from 'node:net';
import { facilityOf, type SyslogRecord, severityOf } from '../../oms-protocol/syslog-record.ts';
import type { SyslogMessage } from './syslog-message.ts';

/** Of the connection that a message came by. */
export interface Whence {
  /** The sender's name, for messages that name no host. */
  readonly hostName: string;
  readonly address: string;
  /** When it came: ISO 8601 in UTC. */
  readonly timestamp: string;
}

/** A message as the Linux agent sends it, with what RFC 5424 has beyond that. */
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
    Facility: facilityOf(message.facility),
    Severity: severityOf(message.severity),
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
