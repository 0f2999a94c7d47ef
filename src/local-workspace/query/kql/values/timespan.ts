import { DAY_MS } from './calendar.ts';

const CLOCK = /^(-)?(?:(\d{1,8})\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,7}))?)?$/;
const AMOUNT = /^(-)?(\d+(?:\.\d+)?)\s*([a-z]+)$/i;

const UNITS: Readonly<Record<string, number>> = {
  ...named(DAY_MS, 'd', 'day', 'days'),
  ...named(3_600_000, 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...named(60_000, 'm', 'min', 'minute', 'minutes'),
  ...named(1_000, 's', 'sec', 'second', 'seconds'),
  ...named(1, 'ms', 'milli', 'millis', 'millisecond', 'milliseconds'),
  ...named(0.001, 'micro', 'micros', 'microsecond', 'microseconds'),
  ...named(0.000_001, 'nano', 'nanos', 'nanosecond', 'nanoseconds'),
  ...named(0.0001, 'tick', 'ticks'),
};

function named(ms: number, ...names: readonly string[]): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, ms]));
}

/** Milliseconds of a unit as literals spell it (`d`, `hours`, `ms`, `tick` …); undefined when it is none. */
export function unitMs(unit: string): number | undefined {
  return Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
}

/** A span of time from `[-][d.]hh:mm[:ss[.f]]`, a number with a unit (`5m`), or a bare number of days. Milliseconds; NaN when it is none. */
export function parseTimespan(text: string): number {
  const trimmed = text.trim();
  if (/^-?\d+$/.test(trimmed)) return Number(trimmed) * DAY_MS;
  const amount = AMOUNT.exec(trimmed);
  if (amount) return (amount[1] ? -1 : 1) * Number(amount[2]) * (unitMs(amount[3] ?? '') ?? Number.NaN);
  const clock = CLOCK.exec(trimmed);
  return clock ? clockMs(clock) : Number.NaN;
}

function clockMs(clock: RegExpExecArray): number {
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = clock.slice(2, 6).map((part) => Number(part ?? 0));
  if (hours > 23 || minutes > 59 || seconds > 59) return Number.NaN;
  const fraction = Number(`0.${clock[6] ?? 0}`) * 1_000;
  return (clock[1] ? -1 : 1) * (days * DAY_MS + hours * 3_600_000 + minutes * 60_000 + seconds * 1_000 + fraction);
}

/** Kusto's text of a span of time: `[-][d.]hh:mm:ss[.fffffff]`. Null for null. */
export function timespanText(ms: number): string | null {
  if (!Number.isFinite(ms)) return null;
  const wholeSeconds = Math.floor(Math.abs(ms) / 1_000);
  const ticks = Math.min(Math.round((Math.abs(ms) - wholeSeconds * 1_000) * 10_000), 9_999_999);
  const days = Math.floor(wholeSeconds / 86_400);
  const clock = [wholeSeconds / 3_600, wholeSeconds / 60, wholeSeconds].map((value, index) =>
    String(Math.floor(value) % (index === 0 ? 24 : 60)).padStart(2, '0'),
  );
  return `${ms < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${clock.join(':')}${ticks > 0 ? `.${String(ticks).padStart(7, '0')}` : ''}`;
}
