import { isLeapYear } from './calendar.ts';

const TEXT = /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:?\d{2})?$/i;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const YEAR_1_MS = -62_135_596_800_000;
const YEAR_10000_MS = 253_402_300_800_000;

/** A time from ISO 8601 text (a date alone is midnight, no zone is UTC), in milliseconds since 1970. NaN when it is none. */
export function parseDatetime(text: string): number {
  const match = TEXT.exec(text.trim());
  if (!match) return Number.NaN;
  const [year = 0, month = 0, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => (part === undefined ? undefined : Number(part)));
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return Number.NaN;
  const fraction = match[7] === undefined ? 0 : Number(`0.${match[7]}`) * 1_000;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return date.getTime() + fraction - offsetMs(match[8]);
}

function daysIn(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

function offsetMs(zone: string | undefined): number {
  if (zone === undefined || zone.toUpperCase() === 'Z') return 0;
  const digits = zone.replace(':', '');
  const minutes = Number(digits.slice(1, 3)) * 60 + Number(digits.slice(3, 5));
  return (digits.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** Whether Kusto has this time: the years 1 to 9999. */
export function isDatetime(ms: number): boolean {
  return ms >= YEAR_1_MS && ms < YEAR_10000_MS;
}

/** As `tostring()` gives it: seven digits of a second, exact to the microsecond, which is as far as milliseconds in a double go. Null outside the years 1 to 9999. */
export function datetimeText(ms: number): string | null {
  if (!isDatetime(ms)) return null;
  const seconds = Math.floor(ms / 1_000);
  const micros = Math.min(Math.round((ms - seconds * 1_000) * 1_000), 999_999);
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19)}.${String(micros).padStart(6, '0')}0Z`;
}

/** As the Query API gives it: no more digits of a second than there are. Null outside the years 1 to 9999. */
export function datetimeCell(ms: number): string | null {
  if (Number.isInteger(ms) && isDatetime(ms)) {
    const text = new Date(ms).toISOString();
    return text.endsWith('.000Z') ? `${text.slice(0, 19)}Z` : text;
  }
  return datetimeText(ms)?.replace(/\.?0*Z$/, 'Z') ?? null;
}
