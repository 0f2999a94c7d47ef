/** Values of a column as JSON: what another program finds in an exported file. */
import { NO_TEXT, type NumberVector, type TextVector, type Vector } from '../tables/vector.ts';

const TICKS_PER_MS = 10_000;
const MAX_TIME_MS = 8.64e15;
const DAY_MS = 86_400_000;

/** The JSON of a row's value; undefined where the row has none. */
export type JsonOf = (row: number) => string | undefined;

/** How the values of a vector are written. A text is escaped once, however many rows have it. */
export function jsonOf(vector: Vector): JsonOf {
  return vector.kind === 'text' ? textJson(vector) : numberJson(vector);
}

function textJson({ type, dictionary, codes }: TextVector): JsonOf {
  const write = type === 'dynamic' ? dynamicJson : (text: string): string => JSON.stringify(text);
  const written = new Array<string | undefined>(dictionary.length);
  return (row) => {
    const code = codes[row] ?? NO_TEXT;
    if (code === NO_TEXT) return undefined;
    const known = written[code];
    if (known !== undefined) return known;
    const json = write(dictionary[code] ?? '');
    written[code] = json;
    return json;
  };
}

/** A dynamic's own JSON, on one line; as a text when it is none. Its numbers keep all their digits. */
export function dynamicJson(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return /[\r\n]/.test(text) ? JSON.stringify(value) : text;
  } catch {
    return JSON.stringify(text);
  }
}

function numberJson({ type, values }: NumberVector): JsonOf {
  const write = WRITERS[type];
  return (row) => {
    const value = values[row] ?? Number.NaN;
    return Number.isNaN(value) ? undefined : write(value);
  };
}

const WRITERS: Record<NumberVector['type'], (value: number) => string> = {
  int: numeral,
  long: numeral,
  real: numeral,
  bool: (value) => (value === 0 ? 'false' : 'true'),
  datetime: (value) => `"${timeText(value)}"`,
  timespan: (value) => `"${spanText(value)}"`,
};

// JSON has no infinity; the Query API writes the word too.
function numeral(value: number): string {
  return Number.isFinite(value) ? String(value) : `"${value > 0 ? 'Infinity' : '-Infinity'}"`;
}

/** Milliseconds since 1970 as ISO 8601, UTC; with seven digits of a second where three are not enough. The number itself outside of the years of Date. */
export function timeText(ms: number): string {
  if (Math.abs(ms) > MAX_TIME_MS) return String(ms);
  const whole = Math.floor(ms);
  const text = new Date(whole).toISOString();
  if (whole === ms) return text;
  const ticks = Math.min(Math.round((ms - whole) * TICKS_PER_MS), TICKS_PER_MS - 1);
  return `${text.slice(0, -1)}${String(ticks).padStart(4, '0')}Z`;
}

/** Milliseconds as a timespan in the words of Kusto: `[-][d.]hh:mm:ss[.fffffff]`. */
export function spanText(ms: number): string {
  if (!Number.isFinite(ms)) return String(ms);
  const positive = Math.abs(ms);
  const days = Math.floor(positive / DAY_MS);
  const clock = new Date(Math.floor(positive % DAY_MS)).toISOString().slice(11, 19);
  const ticks = Math.round((positive % 1_000) * TICKS_PER_MS);
  return `${ms < 0 ? '-' : ''}${days > 0 ? `${days}.` : ''}${clock}${ticks > 0 ? `.${String(Math.min(ticks, 9_999_999)).padStart(7, '0')}` : ''}`;
}
