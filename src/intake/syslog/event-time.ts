/** The times of syslog messages. Pure. What no calendar has is no time. */
import { matchAt } from './match-at.ts';

/** A time, and where the text goes on behind it. */
export interface FoundTime {
  /** ISO 8601 in UTC: milliseconds, and up to 100 ns where the sender has them, which is what the service keeps. Undefined when its zone is not known. */
  readonly time: string | undefined;
  readonly end: number;
}

interface TimeParts {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  readonly day: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
/** Hours ahead of UTC: RFC 5322 §4.3, and those of Europe. Others mean several things. */
const ZONES = new Map(
  Object.entries({
    ...{ UTC: 0, GMT: 0, UT: 0, Z: 0, EST: -5, EDT: -4, CST: -6, CDT: -5, MST: -7, MDT: -6, PST: -8, PDT: -7 },
    ...{ WET: 0, WEST: 1, CET: 1, CEST: 2, EET: 2, EEST: 3, MSK: 3 },
  }),
);
const MINUTE_MS = 60_000;
/** Of the years that the service's tables can hold, those that a clock may show. */
const FIRST_YEAR = 1970;
const LAST_YEAR = 9998;
const MOST_DIGITS = 7;

// RFC 3339 as RFC 5424 §6.2.3 narrows it, and what senders make of it: a space for the T, no zone.
const ISO = /(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?(?=[ :]|$)/y;
// RFC 3164 §4.1.2, and what senders add: a year before or behind the clock, a zone before that year, a fraction.
const BSD = /([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?(?:(?: ([A-Z]{1,5}))? (\d{4})(?= ))?(?=[ :]|$)/y;

/** Reads the time that begins here, in either form; undefined when there is none. One without a zone is UTC. */
export function readTime(text: string, at: number, receivedAt: number): FoundTime | undefined {
  return readIsoTime(text, at) ?? readBsdTime(text, at, receivedAt);
}

export function readIsoTime(text: string, at: number): FoundTime | undefined {
  const found = matchAt(ISO, text, at);
  if (!found) return undefined;
  const end = ISO.lastIndex;
  const [, year, month, day, hours, minutes, seconds, fraction, zone] = found;
  const parts = { year: Number(year), month: Number(month) - 1, day: Number(day), hours: Number(hours), minutes: Number(minutes), seconds: Number(seconds) };
  const aheadMs = offsetOf(zone);
  if (!isInCalendar(parts) || aheadMs === undefined) return undefined;
  // Most are in UTC, and need no reckoning.
  if (aheadMs === 0 && parts.seconds < 60) return { time: `${year}-${month}-${day}T${hours}:${minutes}:${seconds}${digitsOf(fraction)}Z`, end };
  return { time: written(msOf(parts) - aheadMs, fraction), end };
}

/** Without a year of its own, or the one given, it is the time nearest to `receivedAt`. */
export function readBsdTime(text: string, at: number, receivedAt: number, zone?: string, yearBefore?: number): FoundTime | undefined {
  const found = matchAt(BSD, text, at);
  if (!found) return undefined;
  const end = BSD.lastIndex;
  const [, name = '', day, yearWithin, hours, minutes, seconds, fraction, ownZone, yearBehind] = found;
  const month = MONTHS.indexOf(name);
  const parts = { month, day: Number(day), hours: Number(hours), minutes: Number(minutes), seconds: Number(seconds) };
  const year = yearBefore ?? (Number(yearWithin ?? yearBehind) || undefined);
  const ms = year === undefined ? nearest(parts, receivedAt) : isInCalendar({ ...parts, year }) ? msOf({ ...parts, year }) : undefined;
  if (ms === undefined) return undefined;
  const ahead = ZONES.get(ownZone ?? zone ?? 'UTC');
  return { time: ahead === undefined ? undefined : written(ms - ahead * 60 * MINUTE_MS, fraction), end };
}

// A leap day is there only in leap years, so the nearest year is the nearest of those that have the day.
function nearest(parts: Omit<TimeParts, 'year'>, receivedAt: number): number | undefined {
  const thisYear = new Date(receivedAt).getUTCFullYear();
  const candidates = [thisYear - 1, thisYear, thisYear + 1].map((year) => ({ ...parts, year })).filter(isInCalendar);
  return candidates.map(msOf).sort((a, b) => Math.abs(a - receivedAt) - Math.abs(b - receivedAt))[0];
}

function isInCalendar({ year, month, day, hours, minutes, seconds }: TimeParts): boolean {
  if (year < FIRST_YEAR || year > LAST_YEAR || hours > 23 || minutes > 59 || seconds > 60) return false;
  const isNoLeapDay = month === 1 && day === 29 && (year % 4 !== 0 || (year % 100 === 0 && year % 400 !== 0));
  return day >= 1 && day <= (DAYS[month] ?? 0) && !isNoLeapDay;
}

// A leap second, which clocks do send, is the first of the next minute.
function msOf({ year, month, day, hours, minutes, seconds }: TimeParts): number {
  return Date.UTC(year, month, day, hours, minutes, seconds);
}

function offsetOf(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * MINUTE_MS;
}

function written(ms: number, fraction: string | undefined): string {
  return `${new Date(ms).toISOString().slice(0, 19)}${digitsOf(fraction)}Z`;
}

function digitsOf(fraction: string | undefined): string {
  return fraction === undefined ? '.000' : `.${fraction.padEnd(3, '0').slice(0, MOST_DIGITS)}`;
}
