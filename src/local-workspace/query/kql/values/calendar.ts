/** Where days, weeks, months and years begin and end (UTC; a week begins on Sunday, as in Kusto). */

export const DAY_MS = 86_400_000;

/** The parts of a calendar that a time can be cut to. */
export type CalendarUnit = 'day' | 'week' | 'month' | 'year';

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** When the day, week, month or year begins that lies `offset` further on. NaN of NaN. */
export function startOf(unit: CalendarUnit, ms: number, offset: number): number {
  const date = new Date(ms);
  switch (unit) {
    case 'day':
      return midnight(ms) + offset * DAY_MS;
    case 'week':
      return midnight(ms) + (offset * 7 - date.getUTCDay()) * DAY_MS;
    case 'month':
      return utc(date.getUTCFullYear(), date.getUTCMonth() + offset);
    case 'year':
      return utc(date.getUTCFullYear() + offset, 0);
  }
}

/** The last microsecond of that day, week, month or year: a double of milliseconds holds no finer times. */
export function endOf(unit: CalendarUnit, ms: number, offset: number): number {
  return startOf(unit, ms, offset + 1) - 0.001;
}

/** A whole number of these fits between two times; a month and more count by the calendar. */
export function wholeBetween(part: string, later: number, earlier: number): number {
  const size = SIZES[part];
  if (size !== undefined) return Math.floor(later / size) - Math.floor(earlier / size);
  const [after, before] = [new Date(later), new Date(earlier)];
  const years = after.getUTCFullYear() - before.getUTCFullYear();
  const months = years * 12 + after.getUTCMonth() - before.getUTCMonth();
  if (part === 'year') return years;
  if (part === 'quarter') return years * 4 + Math.floor(after.getUTCMonth() / 3) - Math.floor(before.getUTCMonth() / 3);
  if (part === 'month') return months;
  return part === 'week' ? (startOf('week', later, 0) - startOf('week', earlier, 0)) / (7 * DAY_MS) : Number.NaN;
}

const SIZES: Readonly<Record<string, number>> = {
  day: DAY_MS,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
  microsecond: 0.001,
  nanosecond: 0.000_001,
};

/** The words that datetime_diff() and datetime_part() take. */
export const CALENDAR_PARTS: readonly string[] = ['year', 'quarter', 'month', 'week', ...Object.keys(SIZES)];

function midnight(ms: number): number {
  return Math.floor(ms / DAY_MS) * DAY_MS;
}

// Date.UTC() takes the years 0 to 99 for 1900 to 1999.
function utc(year: number, month: number): number {
  return new Date(0).setUTCFullYear(year, month, 1);
}
