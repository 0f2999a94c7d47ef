import type { Clock } from '../../../clock.ts';
import type { AskedQuery, QueryAnswer, QueryRunner } from './query-runner.ts';

export type Ended =
  | QueryAnswer
  /** The time was over. */
  | { readonly kind: 'timeout' }
  /** Nobody waits for the answer any more. */
  | { readonly kind: 'gone' };

export interface TimedRun {
  readonly runner: QueryRunner;
  readonly clock: Clock;
  /** Is given what to call when the client has gone. */
  readonly onGone: (stop: () => void) => void;
  /** Called when the engine is done with the query, which may be after the answer: a place is free only then. */
  readonly onDone: () => void;
}

/** Runs a query until it ends, its time is over or the client has gone. Rejects as the runner does. */
export function runTimed(asked: AskedQuery, { runner, clock, onGone, onDone }: TimedRun): Promise<Ended> {
  const stopping = new AbortController();
  const { promise: stopped, resolve } = Promise.withResolvers<Ended>();
  const stop = (kind: 'timeout' | 'gone'): void => {
    stopping.abort();
    resolve({ kind });
  };
  const cancel = clock.after(asked.timeoutMs, () => stop('timeout'));
  onGone(() => stop('gone'));
  const finish = async (): Promise<Ended> => {
    try {
      return await runner.run(asked, stopping.signal);
    } finally {
      cancel();
      onDone();
    }
  };
  // Who stopped it is told first: a runner that heeds the signal at once says no more than that it was cancelled.
  return Promise.race([stopped, finish()]);
}
