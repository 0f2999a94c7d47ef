import type { Clock } from './clock.ts';

/** A wait that somebody may end early. */
export interface Pause {
  /** Waits `ms` milliseconds, or without end when undefined, until the time is over or `wake` is called. */
  wait(ms?: number): Promise<void>;
  wake(): void;
}

export function createPause(clock: Clock): Pause {
  let wake = (): void => {};
  return {
    wait(ms) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = ms === undefined ? (): void => {} : clock.after(ms, resolve);
      wake = () => {
        cancel();
        resolve();
      };
      return promise;
    },
    wake: () => wake(),
  };
}
