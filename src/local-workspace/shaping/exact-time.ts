/** Times in the one form that `toISOString` writes, `2026-11-29T09:30:00.000Z`, read without a detour: every record has one or two of them. */
const LENGTH = 24;
const ZERO = 48;
const MINUTE_MS = 60_000;
const LAST_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** The place of each mark, and the mark. */
const MARKS = [
  [4, '-'],
  [7, '-'],
  [10, 'T'],
  [13, ':'],
  [16, ':'],
  [19, '.'],
  [23, 'Z'],
] as const;

let lastDay = '';
let lastDayMs = Number.NaN;

/** Milliseconds since 1970; undefined for any other text, also for a day that is in no calendar. */
export function readExactTime(text: string): number | undefined {
  if (text.length !== LENGTH) return undefined;
  for (const [at, mark] of MARKS) if (text[at] !== mark) return undefined;
  const day = dayOf(text);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const ms = digits(text, 20, 3);
  if (Number.isNaN(day + hour + minute + second + ms) || hour > 23 || minute > 59 || second > 59) return undefined;
  return day + (hour * 60 + minute) * MINUTE_MS + second * 1_000 + ms;
}

// Most records are of the same day as the one before.
function dayOf(text: string): number {
  const day = text.slice(0, 10);
  if (day === lastDay) return lastDayMs;
  const [year, month, date] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const last = month === 2 && isLeap ? 29 : (LAST_DAYS[month - 1] ?? 0);
  // Date.UTC takes years below 100 for those of the last century.
  lastDayMs = year >= 100 && date >= 1 && date <= last ? Date.UTC(year, month - 1, date) : Number.NaN;
  lastDay = day;
  return lastDayMs;
}

function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
