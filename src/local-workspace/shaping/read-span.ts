const SPAN = /^(?<sign>-?)(?:(?<days>\d+)\.)?(?<hours>\d{2}):(?<minutes>\d{2}):(?<seconds>\d{2}(?:\.\d{1,7})?)$/;

/** Milliseconds of a span of time as Kusto writes it, `[-][d.]hh:mm:ss[.fffffff]`; NaN for anything else. */
export function readSpan(text: string): number {
  const found = SPAN.exec(text)?.groups;
  if (!found) return Number.NaN;
  const { sign, days = '0', hours, minutes, seconds } = found;
  const ms = ((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000;
  return sign === '-' ? -ms : ms;
}
