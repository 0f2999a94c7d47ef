/** Whether a release that was just started is well. Pure: what was seen of it goes in, a judgement comes out. */

/** What it is judged by. Times in milliseconds. */
export interface Expected {
  readonly version: string;
  /** Why the relay was not ready before, when that was so: the new release cannot be blamed for it. */
  readonly reasonsBefore: readonly string[];
  /** By when it must be well, after its start. */
  readonly withinMs: number;
  /** How long the same process must stay well. */
  readonly steadyMs: number;
}

/** What one look at it shows. */
export interface Look {
  /** After its start. */
  readonly atMs: number;
  readonly isActive: boolean;
  /** How often it ended at its start. */
  readonly failedStarts: number;
  /** As it told of itself; undefined when it did not answer. */
  readonly status: { readonly version: string; readonly pid: number; readonly reasons: readonly string[] } | undefined;
}

/** What was seen until now. */
export interface Course {
  /** Every process that answered. */
  readonly pids: readonly number[];
  /** Since when the last of them has been well. */
  readonly wellSinceMs: number | undefined;
}

export type Judgement =
  | { readonly verdict: 'well' }
  | { readonly verdict: 'waiting'; readonly course: Course; readonly why: string }
  | { readonly verdict: 'unwell'; readonly why: string };

export const BEGINNING: Course = { pids: [], wellSinceMs: undefined };
/** So many starts that ended at once, or processes one after another, are a loop. */
const LOOP = 3;

/** Judges by the newest look and the course before it. */
export function judge(expected: Expected, look: Look, before: Course): Judgement {
  const { status, atMs } = look;
  const pids = status && !before.pids.includes(status.pid) ? [...before.pids, status.pid] : before.pids;
  if (look.failedStarts >= LOOP) return { verdict: 'unwell', why: `it ended at its start, ${look.failedStarts} times` };
  if (pids.length >= LOOP) return { verdict: 'unwell', why: `it was started again and again: ${pids.length} processes answered one after another` };
  const why = whatIsWrong(expected, look);
  if (why !== undefined) {
    if (atMs >= expected.withinMs) return { verdict: 'unwell', why: `after ${Math.round(atMs / 1000)} s ${why}` };
    return { verdict: 'waiting', course: { pids, wellSinceMs: undefined }, why };
  }
  const wellSinceMs = pids === before.pids ? (before.wellSinceMs ?? atMs) : atMs;
  if (atMs - wellSinceMs >= expected.steadyMs) return { verdict: 'well' };
  return { verdict: 'waiting', course: { pids, wellSinceMs }, why: 'it is well, and must stay so for some seconds' };
}

function whatIsWrong({ version, reasonsBefore }: Expected, { isActive, status }: Look): string | undefined {
  if (!isActive) return 'its service does not run';
  if (!status) return 'it does not answer at its control socket';
  if (status.version !== version) return `the release that answers is ${status.version}`;
  const known = new Set(reasonsBefore.map(withoutFigures));
  const own = status.reasons.filter((reason) => !known.has(withoutFigures(reason)));
  return own.length === 0 ? undefined : `it takes no data, for a reason that was not there before: ${own.join(' ')}`;
}

// "71 % of its maxmemory" and "72 %" are the same reason.
function withoutFigures(reason: string): string {
  return reason.replaceAll(/\d+/g, '#');
}
