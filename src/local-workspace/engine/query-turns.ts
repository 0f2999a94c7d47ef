/** Queries of one workspace that run at the same time: each may hold 256 MiB of state, and the others wait. */
const MOST_RUNNING = 3;

/** Gives queries their turns, in the order in which they came. */
export interface QueryTurns {
  /** Resolves when it is this one's turn, with how to end it; undefined when the signal was aborted before. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>;
}

export function createQueryTurns(most: number = MOST_RUNNING): QueryTurns {
  const waiting = new Set<() => void>();
  let running = 0;

  const end = (): void => {
    running -= 1;
    const [next] = waiting;
    next?.();
  };

  const begin = (): (() => void) => {
    running += 1;
    let hasEnded = false;
    return () => {
      if (!hasEnded) end();
      hasEnded = true;
    };
  };

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(undefined);
      if (running < most) return Promise.resolve(begin());
      return new Promise((resolve) => {
        const leave = (turn: (() => void) | undefined): void => {
          waiting.delete(next);
          signal.removeEventListener('abort', giveUp);
          resolve(turn);
        };
        const next = (): void => leave(begin());
        const giveUp = (): void => leave(undefined);
        waiting.add(next);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}
