/**
 * What people and their programs are told of an incident: the body of a webhook, and what a mail is made from. It names what happened; nothing
 * secret and nothing of a log record is in it.
 */
import type { Incident } from './incident.ts';
import type { Occasion } from './judge.ts';
import { KIND_FACTS } from './kinds.ts';

/** The version of the schema. A field that goes or changes its meaning makes a new one; fields may be added at any time. */
export const NOTICE_SCHEMA = 'relay.incident/1';

/** A notice, as it is sent. Times are ISO 8601, UTC. */
export interface Notice {
  readonly schema: typeof NOTICE_SCHEMA;
  /** A UUID, the same in every try, so that a receiver can tell a repeat. */
  readonly delivery: string;
  /** detected, repeated (again, and worth saying), reminder (nobody has looked at it yet), contained, closed. */
  readonly occasion: Occasion;
  /** When there was something to tell. */
  readonly at: string;
  /** Why now: what happened, or the comment of whoever changed the state. */
  readonly text: string;
  /** `system`, or who did it. */
  readonly by: string;
  /** The machine that tells it. */
  readonly site: string;
  readonly incident: NoticeIncident;
}

/** The incident as it was when there was something to tell. */
export interface NoticeIncident extends Pick<Incident, 'id' | 'source' | 'kind' | 'subject' | 'severity' | 'state' | 'detail' | 'count' | 'earlier'> {
  /** A UUID: two sites may both have an INC-0007. */
  readonly uid: string;
  /** The kind in words for people. */
  readonly title: string;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface NoticeFacts {
  readonly incident: Incident & { readonly uid: string };
  readonly occasion: Occasion;
  readonly text: string;
  readonly by: string;
  readonly site: string;
  readonly delivery: string;
  readonly now: number;
}

/** Writes a notice of an incident as it is now. */
export function noticeOf({ incident, occasion, text, by, site, delivery, now }: NoticeFacts): Notice {
  const { id, uid, source, kind, subject, severity, state, detail, count, firstAt, lastAt, earlier } = incident;
  const { title } = KIND_FACTS[kind];
  const times = { firstAt: new Date(firstAt).toISOString(), lastAt: new Date(lastAt).toISOString() };
  return {
    schema: NOTICE_SCHEMA,
    delivery,
    occasion,
    at: new Date(now).toISOString(),
    text,
    by,
    site,
    incident: { id, uid, source, kind, title, subject, severity, state, detail, count, ...times, ...(earlier === undefined ? {} : { earlier }) },
  };
}

/** Reads a notice of our own from the outbox. */
export function readNotice(json: string): Notice {
  return JSON.parse(json) as Notice;
}
