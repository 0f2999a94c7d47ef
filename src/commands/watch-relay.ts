import type { Status } from '../control/api.ts';
import { messageOf } from '../errors.ts';
import { ratesBetween, type Sample } from './rates.ts';
import type { TopView } from './top-screen.ts';

export interface WatchParts {
  /** Asks the relay; rejects when none answers. */
  ask(signal: AbortSignal): Promise<Status>;
  show(view: TopView): void;
  /** Waits; ends early when the signal is aborted. */
  pause(signal: AbortSignal): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Ends the watching. */
  readonly ended: AbortSignal;
  /** Ends it after so many views; never unless given. */
  readonly times?: number | undefined;
}

/** Asks and shows until it is ended. A relay that is away is shown as such, and found again when it is back. */
export async function watchRelay({ ask, show, pause, now, ended, times = Number.POSITIVE_INFINITY }: WatchParts): Promise<void> {
  let before: Sample | undefined;
  for (let shown = 1; !ended.aborted; shown += 1) {
    const view = await look();
    if (ended.aborted) return;
    show(view);
    if (shown >= times) return;
    await pause(ended);
  }

  async function look(): Promise<TopView> {
    try {
      const after: Sample = { status: await ask(ended), at: now() };
      const rates = ratesBetween(before, after);
      before = after;
      return { answers: true, status: after.status, rates, now: after.at };
    } catch (error) {
      return { answers: false, reason: messageOf(error), now: now() };
    }
  }
}
