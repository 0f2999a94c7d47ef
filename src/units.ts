const DAY_MS = 86_400_000;
const DURATION = /^(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,12})ms)?$/;
const DURATION_UNITS = [
  ['d', DAY_MS],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const SIZE = /^(\d{1,16})(B|KB|KiB|MB|MiB|GB|GiB|TB|TiB|PB|PiB)?$/;
const SIZE_UNITS = [
  ['PiB', 2 ** 50],
  ['PB', 1e15],
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['KB', 1e3],
  ['B', 1],
] as const;

/** Reads a duration such as `500ms`, `8m` or `1h30m` (larger units first) and gives milliseconds; undefined when the text is none. */
export function readDuration(text: string): number | undefined {
  const counts = DURATION.exec(text)?.slice(1);
  if (!counts || text === '') return undefined;
  return DURATION_UNITS.reduce((sum, [, unitMs], index) => sum + Number(counts[index] ?? 0) * unitMs, 0);
}

/** Writes whole milliseconds so that `readDuration` gives the same again: `1h30m`; `0s` for none. */
export function formatDuration(ms: number): string {
  let rest = ms;
  const parts = DURATION_UNITS.map(([unit, unitMs]) => {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.join('') || '0s';
}

/** Reads a size such as `16MiB` (1024²), `512KB` (1000) or a plain number of bytes, and gives bytes; undefined when the text is none. */
export function readSize(text: string): number | undefined {
  const [, count, unit = 'B'] = SIZE.exec(text) ?? [];
  if (count === undefined) return undefined;
  const bytes = Number(count) * (SIZE_UNITS.find(([name]) => name === unit)?.[1] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Writes whole bytes in the largest unit that divides them, so that `readSize` gives the same again: `16MiB`. */
export function formatSize(bytes: number): string {
  const [unit, unitBytes] = SIZE_UNITS.find(([, size]) => bytes >= size && bytes % size === 0) ?? ['B', 1];
  return `${bytes / unitBytes}${unit}`;
}
