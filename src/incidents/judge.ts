/** What a report makes of an incident, and whether people are told. Pure: the store applies it. */
import type { CleanEvent } from './event.ts';
import { type Incident, isAtLeast, type Severity } from './incident.ts';

/** When people are told. */
export const OCCASIONS = ['detected', 'repeated', 'reminder', 'contained', 'closed'] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** People hear of a repeat when there are so many times as many as at first. */
const STEPS = [10, 100, 1_000];
/** What comes and goes all the time is told again this often at most, in milliseconds. */
const AGAIN_EVERY_MS = 10 * 60_000;

/** An incident after a repeat. */
export interface Repeated {
  readonly incident: Incident;
  /** Why people are told; undefined when they are not. */
  readonly why?: string | undefined;
}

/**
 * Adds a repeat to an incident that is not closed. People are told again only when it became worse, when it is 10, 100 or 1,000 times as many,
 * or when it came back after it was contained.
 */
export function repeated(before: Incident, event: CleanEvent, now: number): Repeated {
  const severity: Severity = isAtLeast(before.severity, event.severity) ? before.severity : event.severity;
  const incident = { ...before, severity, detail: event.detail, count: before.count + event.count, lastAt: now };
  return { incident, why: whyTold(before, incident, now) };
}

function whyTold(before: Incident, after: Incident, now: number): string | undefined {
  if (after.severity !== before.severity) return `the severity rose from ${before.severity} to ${after.severity}`;
  const step = STEPS.findLast((times) => before.count < times * before.firstCount && after.count >= times * before.firstCount);
  if (step !== undefined) return `it happened ${after.count} times, ${step} times as often as at first`;
  const isBack = before.state === 'contained' && before.lastAt <= before.stateSince;
  if (isBack && (before.toldAt === undefined || now - before.toldAt >= AGAIN_EVERY_MS)) return 'it came back after it was contained';
  return undefined;
}

/** Whether people are to be reminded: nobody has looked at it yet, and they were last told `remindAfterMs` ago or longer. */
export function isReminderDue({ state, toldAt }: Pick<Incident, 'state' | 'toldAt'>, now: number, remindAfterMs: number): boolean {
  return state === 'detected' && toldAt !== undefined && now - toldAt >= remindAfterMs;
}

/** What the end of the cause makes of an incident: contained, or contained anew when it had come back; undefined when there is nothing to say. */
export function ended(before: Incident, now: number): { readonly incident: Incident; readonly isFirst: boolean } | undefined {
  const isFirst = before.state !== 'contained';
  if (!isFirst && before.lastAt <= before.stateSince) return undefined;
  return { incident: { ...before, state: 'contained', stateSince: now }, isFirst };
}
