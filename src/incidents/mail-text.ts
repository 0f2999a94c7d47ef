/** What a mail about an incident says. Pure. */
import type { Notice } from './notice.ts';

/** The parts of a mail that are made from a notice. */
export interface MailText {
  readonly subject: string;
  readonly text: string;
  /** The same in every try. */
  readonly messageId: string;
  /** The first mail of the incident, for all but that one: mail programs show them as one conversation (RFC 5322 §3.6.4). */
  readonly inReplyTo?: string;
}

const TIMES: Readonly<Record<Notice['occasion'], string>> = {
  detected: 'was detected',
  repeated: 'happened again',
  reminder: 'still waits for somebody to look at it',
  contained: 'is contained',
  closed: 'is closed',
};

/** `domain` makes the ids of mails unique; `flags` is what `relay incidents show` needs to find this incident, or empty. */
export function mailTextOf(notice: Notice, { domain, flags }: { readonly domain: string; readonly flags: string }): MailText {
  const { incident, occasion, delivery } = notice;
  const isFirst = occasion === 'detected';
  const root = `<${incident.id.toLowerCase()}.${incident.uid}@${domain}>`;
  // All have the same subject: some mail programs begin another conversation with another one.
  const subject = `[Relay] ${incident.severity}: ${incident.id} ${incident.title} – ${incident.source}`;
  return {
    subject: isFirst ? subject : `Re: ${subject}`,
    text: linesOf(notice, flags).join('\n'),
    messageId: isFirst ? root : `<${incident.id.toLowerCase()}.${delivery}@${domain}>`,
    ...(isFirst ? {} : { inReplyTo: root }),
  };
}

function linesOf({ incident, occasion, text, by, site, at }: Notice, flags: string): string[] {
  const { id, title, source, subject, severity, state, detail, count, firstAt, lastAt, earlier } = incident;
  return [
    `${id}, ${title}, ${TIMES[occasion]}.`,
    '',
    ...(text === detail ? [] : [text, '']),
    `What:      ${detail}`,
    `About:     ${subject}`,
    `Where:     ${source}, told by ${site}`,
    `Severity:  ${severity}`,
    `State:     ${state} (${by}, ${readable(at)})`,
    `How often: ${count}, from ${readable(firstAt)} to ${readable(lastAt)}`,
    ...(earlier === undefined ? [] : [`Before it: ${earlier}`]),
    '',
    `Its time line, on ${site}: relay incidents show ${id}${flags === '' ? '' : ` ${flags}`}`,
    '',
  ];
}

function readable(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}
