/**
 * The rule by which a thousand lines of one kind become a few and a number. Pure: time is an argument, and what a line is does not matter.
 * Invariant: each line is either let through or in the count of exactly one summary.
 */

export interface RepeatLimits {
  /** Milliseconds from the first line of a kind. */
  readonly windowMs: number;
  /** How many lines of a kind are let through in its window. */
  readonly linesPerWindow: number;
  /** How many kinds are remembered; the oldest gives way early. */
  readonly mostKinds: number;
}

/** Lines of one kind that were only counted. */
export interface Repeated<Line> {
  /** The last of them. */
  readonly line: Line;
  readonly count: number;
  /** When the first line of this kind came, in milliseconds since 1970. */
  readonly since: number;
}

export interface Noted<Line> {
  /** False: it was only counted. */
  readonly isWritten: boolean;
  /** Summaries that are due now, to be written first. */
  readonly ended: readonly Repeated<Line>[];
}

export interface LogRepeats<Line> {
  /** A line has come. */
  note(kind: string, line: Line, now: number): Noted<Line>;
  /** The summaries of all windows that are over. */
  ended(now: number): readonly Repeated<Line>[];
  /** The summaries of all windows, which end now. */
  endAll(): readonly Repeated<Line>[];
  /** When the next window ends; undefined when none is open. */
  nextEnd(): number | undefined;
}

interface Window<Line> {
  readonly since: number;
  written: number;
  counted: number;
  last: Line;
}

export function createLogRepeats<Line>({ windowMs, linesPerWindow, mostKinds }: RepeatLimits): LogRepeats<Line> {
  /** The oldest first: a window that begins anew moves to the end. */
  const windows = new Map<string, Window<Line>>();

  // A clock that was set back would keep a window open for as long.
  const isOver = ({ since }: Window<Line>, now: number): boolean => now >= since + windowMs || now < since;

  const endWhile = (isToEnd: (window: Window<Line>) => boolean): readonly Repeated<Line>[] => {
    const summaries: Repeated<Line>[] = [];
    for (const [kind, window] of windows) {
      if (!isToEnd(window)) break;
      windows.delete(kind);
      if (window.counted > 0) summaries.push({ line: window.last, count: window.counted, since: window.since });
    }
    return summaries;
  };
  const ended = (now: number): readonly Repeated<Line>[] => endWhile((window) => isOver(window, now));

  return {
    note(kind, line, now) {
      const summaries = [...ended(now)];
      const window = windows.get(kind);
      if (window && window.written >= linesPerWindow) {
        window.counted += 1;
        window.last = line;
        return { isWritten: false, ended: summaries };
      }
      if (window) window.written += 1;
      else {
        if (windows.size >= mostKinds) summaries.push(...endWhile(() => windows.size >= mostKinds));
        windows.set(kind, { since: now, written: 1, counted: 0, last: line });
      }
      return { isWritten: true, ended: summaries };
    },
    ended,
    endAll: () => endWhile(() => true),
    nextEnd() {
      const [oldest] = windows.values();
      return oldest && oldest.since + windowMs;
    },
  };
}
