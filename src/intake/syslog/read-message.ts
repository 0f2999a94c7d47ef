import { matchAt } from './match-at.ts';
import { readRfc3164 } from './rfc3164.ts';
import { readRfc5424 } from './rfc5424.ts';
import type { SyslogMessage } from './syslog-message.ts';

const HIGHEST_PRIORITY = 191;
const USER = 1;
const NOTICE = 5;
const PRIORITY = /<(0|[1-9]\d{0,2})>/y;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * Reads one message, whatever it is. What has no priority that can be used is all message, of facility user and severity notice (RFC 3164 §4.3.3).
 * A time without a year is the one nearest to `receivedAt` (milliseconds since 1970).
 */
export function readMessage(given: string, receivedAt: number): SyslogMessage {
  const text = given.replace(BYTE_ORDER_MARK, '');
  const priority = Number(matchAt(PRIORITY, text, 0)?.[1] ?? Number.NaN);
  if (!(priority <= HIGHEST_PRIORITY)) return { format: 'none', facility: USER, severity: NOTICE, message: text };
  const codes = { facility: priority >> 3, severity: priority & 7 };
  const from = PRIORITY.lastIndex;
  const modern = readRfc5424(text, from);
  return modern ? { format: 'rfc5424', ...codes, ...modern } : { format: 'rfc3164', ...codes, ...readRfc3164(text, from, receivedAt) };
}
