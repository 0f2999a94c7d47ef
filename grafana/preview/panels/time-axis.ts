import { THEME } from '../colours.ts';
import type { TimeRange } from '../panel-data.ts';
import { line, text } from '../svg.ts';
import { formatTime } from '../units.ts';

const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400];
const LABEL_WIDTH = 90;

export interface TimeAxis {
  /** Where a moment, in seconds since 1970, stands. */
  readonly at: (seconds: number) => number;
  readonly svg: string;
}

/** A time axis from `left` to `right`, its labels under `bottom`, in UTC. */
export function timeAxis({ from, to }: TimeRange, left: number, right: number, bottom: number): TimeAxis {
  const [start, end] = [from.getTime() / 1000, to.getTime() / 1000];
  const at = (seconds: number): number => left + ((seconds - start) / (end - start || 1)) * (right - left);
  const labels = Math.max(1, Math.floor((right - left) / LABEL_WIDTH));
  const step = STEPS.find((seconds) => (end - start) / seconds <= labels) ?? 86_400;
  let svg = '';
  for (let moment = Math.ceil(start / step) * step; moment <= end; moment += step) {
    const isRoom = at(moment) + LABEL_WIDTH / 3 < right;
    svg +=
      line(at(moment), bottom, at(moment), bottom + 4, THEME.grid) +
      (isRoom ? text(at(moment), bottom + 16, formatTime(moment), { size: 11, colour: THEME.faint, anchor: 'middle' }) : '');
  }
  return { at, svg };
}
