/** Gathers the parts of a bundle side by side. A part that throws, hangs or is too long costs itself, never the others. */
import { type Outcome, why, within } from '../doctor/within.ts';
import type { Gathered, Part } from './part.ts';

export interface GatherLimits {
  /** Milliseconds that a part may take, unless it says otherwise. */
  readonly ms: number;
  /** Bytes that a part may have. */
  readonly bytes: number;
}

/** A file of the bundle, without secrets. */
export interface BundleFile {
  readonly file: string;
  readonly what: string;
  readonly text: string;
  readonly bytes: number;
  readonly note: string | undefined;
}

/** A part that is not in the bundle. */
export interface LeftOut {
  readonly file: string;
  readonly what: string;
  readonly reason: string;
}

export interface GatheredParts {
  readonly files: readonly BundleFile[];
  readonly leftOut: readonly LeftOut[];
}

/** Takes the secrets out of a text. */
export type Scrub = (text: string) => string;

/** What is read beyond a part's limit, so that no secret is cut in two before it is looked for. */
const MARGIN_BYTES = 64 * 1024;

/** Gathers all parts; the files come in the order of the parts. */
export async function gatherParts(parts: readonly Part[], scrub: Scrub, limits: GatherLimits): Promise<GatheredParts> {
  const outcomes = await Promise.all(parts.map((part) => within(part.limitMs ?? limits.ms, async (signal) => await part.gather(signal))));
  const judged = parts.map((part, at) => judge(part, outcomes[at] ?? { outcome: 'late', limitMs: limits.ms }, scrub, limits.bytes));
  return {
    files: judged.flatMap((one) => ('text' in one ? [one] : [])),
    leftOut: judged.flatMap((one) => ('reason' in one ? [one] : [])),
  };
}

function judge({ file, what, keeps = 'beginning' }: Part, outcome: Outcome<Gathered>, scrub: Scrub, limitBytes: number): BundleFile | LeftOut {
  if (outcome.outcome !== 'done') return { file, what, reason: scrub(why(outcome)) };
  const gathered = outcome.value;
  if ('leftOut' in gathered) return { file, what, reason: scrub(gathered.leftOut) };
  const whole = Buffer.from(gathered.text);
  const safe = Buffer.from(scrub(shorten(whole, limitBytes + MARGIN_BYTES, keeps).toString()));
  const bytes = whole.length > limitBytes + MARGIN_BYTES ? shorten(safe, Math.max(0, safe.length - MARGIN_BYTES), keeps) : safe;
  const text = shorten(bytes, limitBytes, keeps).toString();
  const cut = whole.length > limitBytes ? `of ${whole.length} bytes only the ${keeps}` : undefined;
  const note = [gathered.note, cut].filter((each) => each !== undefined).join('; ');
  return { file, what, text, bytes: Buffer.byteLength(text), note: note === '' ? undefined : scrub(note) };
}

// At a line's end where there is one: half a line helps nobody.
function shorten(bytes: Buffer, limitBytes: number, keeps: 'beginning' | 'end'): Buffer {
  if (bytes.length <= limitBytes) return bytes;
  if (keeps === 'beginning') {
    const end = bytes.lastIndexOf('\n', limitBytes);
    return bytes.subarray(0, end < 0 ? limitBytes : end + 1);
  }
  const from = bytes.indexOf('\n', bytes.length - limitBytes);
  return bytes.subarray(from < 0 ? bytes.length - limitBytes : from + 1);
}
