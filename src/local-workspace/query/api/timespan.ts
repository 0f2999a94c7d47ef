import type { QueryTimespan } from './query-runner.ts';

const MAX_CHARS = 100;
const DAY_MS = 86_400_000;
const MAX_DURATION_MS = 36_525 * DAY_MS;

const DURATION = /^P(?=[\dT])(?:([\d.]+)Y)?(?:([\d.]+)M)?(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?=\d)(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?$/i;
/** Years and months as .NET counts them, whose TimeSpan the service's own clients send: 365 and 30 days. */
const UNITS_MS = [365 * DAY_MS, 30 * DAY_MS, 7 * DAY_MS, DAY_MS, 3_600_000, 60_000, 1_000] as const;
const NUMBER = /^\d+(?:\.\d+)?$/;
const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/i;

export type ReadTimespan = { readonly ok: true; readonly timespan: QueryTimespan } | { readonly ok: false; readonly message: string };

/**
 * Reads the API's `timespan` (ISO 8601): a duration, which ends now, or `start/end`, `start/duration`, `duration/end`.
 * A time without an offset is UTC, a date without a time is midnight.
 */
export function readTimespan(text: string, now: number): ReadTimespan {
  const shown = `timespan is "${text.slice(0, MAX_CHARS)}"`;
  if (text.length > MAX_CHARS) return refused(`${shown} …, longer than ${MAX_CHARS} characters.`);
  const [first = '', second, ...more] = text.trim().split('/');
  if (more.length > 0) return refused(`${shown}, which has more than two parts.`);
  const timespan = second === undefined ? endingAt(first, now) : interval(first.trim(), second.trim());
  if (!timespan) return refused(`${shown}, neither an ISO 8601 duration of at most 100 years nor an interval.`);
  if (timespan.from >= timespan.to) return refused(`${shown}, whose start is not before its end.`);
  return { ok: true, timespan };
}

/** The time that is in both. */
export function intersection(one: QueryTimespan | undefined, other: QueryTimespan | undefined): QueryTimespan | undefined {
  if (!one || !other) return one ?? other;
  const from = Math.max(one.from ?? Number.NEGATIVE_INFINITY, other.from ?? Number.NEGATIVE_INFINITY);
  const to = Math.min(one.to ?? Number.POSITIVE_INFINITY, other.to ?? Number.POSITIVE_INFINITY);
  return { ...(Number.isFinite(from) ? { from } : {}), ...(Number.isFinite(to) ? { to } : {}) };
}

interface Bounds {
  readonly from: number;
  readonly to: number;
}

function endingAt(duration: string, to: number): Bounds | undefined {
  const ms = readDuration(duration);
  return ms === undefined ? undefined : { from: to - ms, to };
}

function interval(first: string, second: string): Bounds | undefined {
  const [start, end] = [readTime(first), readTime(second)];
  if (start !== undefined && end !== undefined) return { from: start, to: end };
  if (end !== undefined) return endingAt(first, end);
  const ms = readDuration(second);
  return start === undefined || ms === undefined ? undefined : { from: start, to: start + ms };
}

function readDuration(text: string): number | undefined {
  const parts = DURATION.exec(text)?.slice(1);
  if (!parts?.every((part) => part === undefined || NUMBER.test(part))) return undefined;
  const ms = Math.round(parts.reduce((sum, part, at) => sum + Number(part ?? 0) * (UNITS_MS[at] ?? 0), 0));
  return ms > MAX_DURATION_MS ? undefined : ms;
}

function readTime(text: string): number | undefined {
  const [, date, time = '00:00', offset = 'Z'] = TIME.exec(text) ?? [];
  if (date === undefined) return undefined;
  const ms = Date.parse(`${date}T${time}${offset.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`);
  // `Date.parse` takes the 30th of February for the 1st or 2nd of March.
  const isDay = !Number.isNaN(ms) && new Date(Date.parse(`${date}T00:00Z`)).toISOString().startsWith(date);
  return isDay ? ms : undefined;
}

function refused(what: string): ReadTimespan {
  return { ok: false, message: `${what} Write one such as PT12H or 2026-11-28T00:00:00Z/2026-11-29T00:00:00Z.` };
}
