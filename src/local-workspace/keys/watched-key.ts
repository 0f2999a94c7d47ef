/**
 * The state of a key that is asked for again and again: who is told, and when it is time to ask again.
 *
 * Invariant: a key that is refused is dropped before anybody is told.
 */
import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { afterCheck, type CheckResult, type KeyState, nextCheckMs, type Watch } from './key-watch.ts';

export interface WatchedKeyParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly checkEveryMs: number;
  /** Told first, also of a key that cannot be had at the first check. */
  readonly onTurn: (state: KeyState) => void;
  /** It is time to ask again. */
  readonly onDue: () => void;
}

export interface WatchedKey {
  current(): KeyState;
  onChange(listener: (state: KeyState) => void): () => void;
  /** A check that began at `begunAt` has ended now. */
  checked(result: CheckResult, begunAt: number): void;
  /** Drops the key without telling, and is never due again. */
  close(): void;
}

export function createWatchedKey({ clock, log, checkEveryMs, onTurn, onDue }: WatchedKeyParts): WatchedKey {
  const listeners = new Set<(state: KeyState) => void>();
  let watch: Watch | undefined;
  let cancelNext = (): void => {};
  let isClosed = false;

  const tellAll = (state: KeyState): void => {
    for (const listener of [onTurn, ...listeners]) {
      try {
        listener(state);
      } catch (error) {
        log.error({ reason: messageOf(error) }, 'one who was told of a change of a key failed');
      }
    }
  };
  return {
    current: () => watch?.state ?? { available: false, since: clock.now(), reason: isClosed ? 'the service is stopping' : 'it has not been asked for yet' },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    checked(result, begunAt) {
      if (isClosed) return;
      const before = watch?.state;
      watch = afterCheck(watch, result, { begunAt, now: clock.now() });
      cancelNext();
      cancelNext = clock.after(nextCheckMs(watch, checkEveryMs, clock.now()), onDue);
      const { state } = watch;
      if (before ? before.available !== state.available : !state.available) tellAll(state);
    },
    close() {
      isClosed = true;
      watch = undefined;
      cancelNext();
    },
  };
}
