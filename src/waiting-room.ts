import type { Clock } from './clock.ts';

/** Where requests wait for something to change, bounded in number and in time. */
export interface WaitingRoom {
  /**
   * Waits until something changes, `ms` are over, or `onGone` says that nobody waits any more; at once when it is closed. `full`: there
   * is no room, and no waiting.
   */
  wait(ms: number, onGone: (leave: () => void) => void): Promise<'over' | 'full'>;
  /** Lets everybody go on: something has changed. */
  release(): void;
  /** Lets everybody go on, and nobody wait again. */
  close(): void;
  waiting(): number;
}

export function createWaitingRoom(most: number, clock: Clock): WaitingRoom {
  const leaving = new Set<() => void>();
  let isClosed = false;

  const release = (): void => {
    for (const leave of [...leaving]) leave();
  };
  return {
    wait(ms, onGone) {
      if (isClosed || ms <= 0) return Promise.resolve('over');
      if (leaving.size >= most) return Promise.resolve('full');
      return new Promise((resolve) => {
        const leave = (): void => {
          cancel();
          leaving.delete(leave);
          resolve('over');
        };
        const cancel = clock.after(ms, leave);
        leaving.add(leave);
        onGone(leave);
      });
    },
    release,
    close() {
      isClosed = true;
      release();
    },
    waiting: () => leaving.size,
  };
}
