/** Figures for people: as exact as one reads them, no more. */

const DURATIONS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;
const SIZES = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** Milliseconds in their two largest units, `1h 30m`, `8m`, `0s`; never below zero. */
export function roughDuration(ms: number): string {
  const at = DURATIONS.findIndex(([, unitMs]) => ms >= unitMs);
  if (at < 0) return '0s';
  const [unit, unitMs] = DURATIONS[at] ?? DURATIONS[3];
  const [smaller, smallerMs] = DURATIONS[at + 1] ?? ['', Number.POSITIVE_INFINITY];
  const rest = Math.floor((ms % unitMs) / smallerMs);
  return rest === 0 ? `${Math.floor(ms / unitMs)}${unit}` : `${Math.floor(ms / unitMs)}${unit} ${rest}${smaller}`;
}

/** Bytes in the unit that fits, with three digits at most: `512 B`, `1.5 GiB`. */
export function roughSize(bytes: number): string {
  const power = Math.min(SIZES.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)));
  return `${digits(bytes / 1024 ** power)} ${SIZES[power]}`;
}

/** A count for which three digits are enough: `0.25`, `12.5`, `1500`. */
export function digits(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  return value < 1 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}
