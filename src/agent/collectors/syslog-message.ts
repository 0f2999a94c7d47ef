import { facilityOf, severityOf } from '../../oms-protocol/syslog-record.ts';

/** Longest message kept, in bytes; the rest of a line is cut off. */
export const MAX_MESSAGE_BYTES: number = 16 * 1024;

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
