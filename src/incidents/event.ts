import { redactText } from '../redaction.ts';
import { SEVERITIES, type Severity, type Source, SYSTEM } from './incident.ts';
import { INCIDENT_KINDS, type IncidentKind, KIND_FACTS } from './kinds.ts';

const MAX_COUNT = 1_000_000_000;
const LONGEST = { subject: 200, detail: 500, actor: 100, comment: 1_000 } as const;
const SOURCE = /^(?:relay|workspace [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/**
 * What a part of the program reports. Its texts go to people, by mail and webhook: they name things (a table, a key's id, an address) and hold
 * no secret and nothing of a log record.
 */
export interface IncidentEvent {
  readonly source: Source;
  readonly kind: IncidentKind;
  /** What it is about within its kind, up to 200 characters. Another subject is another incident. */
  readonly subject: string;
  /** What happened, in a sentence of up to 500 characters. */
  readonly detail: string;
  /** The kind's own unless given. An incident takes the worst that was reported. */
  readonly severity?: Severity | undefined;
  /** How many of it; 1 unless given. */
  readonly count?: number | undefined;
  /** Whose doing it was, up to 100 characters; `system` unless given. */
  readonly actor?: string | undefined;
  /** The cause is gone (a key was given back): an open incident of this source, kind and subject moves to contained. Without one nothing happens. */
  readonly isOver?: boolean | undefined;
}

/** An event as it is kept: bounded, on one line, without secrets. */
export interface CleanEvent extends IncidentEvent {
  readonly severity: Severity;
  readonly count: number;
  readonly actor: string;
  readonly isOver: boolean;
}

/** Reads an event from whoever reports it. Undefined when source or kind are not known: the caller has a fault. Never throws. */
export function cleanEvent(event: IncidentEvent): CleanEvent | undefined {
  const { source, kind, subject, detail, severity, count, actor, isOver } = event ?? {};
  if (typeof source !== 'string' || !SOURCE.test(source) || !INCIDENT_KINDS.includes(kind)) return undefined;
  return {
    source,
    kind,
    subject: cleanText(subject, LONGEST.subject),
    detail: cleanText(detail, LONGEST.detail),
    severity: SEVERITIES.find((known) => known === severity) ?? KIND_FACTS[kind].severity,
    count: typeof count === 'number' && count >= 1 ? Math.min(Math.floor(count), MAX_COUNT) : 1,
    actor: cleanText(actor, LONGEST.actor) || SYSTEM,
    isOver: isOver === true,
  };
}

/** A person's name as it is kept. */
export function cleanActor(actor: string): string {
  return cleanText(actor, LONGEST.actor) || 'unknown';
}

/** A person's comment as it is kept. */
export function cleanComment(comment: string): string {
  return cleanText(comment, LONGEST.comment);
}

/** What makes two reports one incident. */
export function keyOf({ source, kind, subject }: Pick<IncidentEvent, 'source' | 'kind' | 'subject'>): string {
  return `${source} ${kind} ${subject}`;
}

// Cut before it is searched, so that a text of any length costs little; and after, as what is struck out may be longer than what stood there.
function cleanText(found: unknown, most: number): string {
  const text = typeof found === 'string' ? found.slice(0, 4 * most) : '';
  return redactText(text.toWellFormed())
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .trim()
    .slice(0, most)
    .toWellFormed();
}
