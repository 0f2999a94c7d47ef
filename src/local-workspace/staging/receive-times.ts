import type { Clock } from '../../clock.ts';

/** Gives entries their times of receipt, which never go back, whatever the machine's clock does. */
export interface ReceiveTimes {
  /** The time of an entry that is on its way until `done`. In milliseconds since 1970. */
  take(): { readonly at: number; done(): void };
  /** No entry that is on its way, or comes from now on, has an earlier time. */
  earliest(): number;
}

/** `last`: the latest time that was ever given, in milliseconds since 1970. */
export function createReceiveTimes(clock: Pick<Clock, 'now'>, last: number): ReceiveTimes {
  let latest = last;
  const underway = new Map<number, number>();
  return {
    take() {
      const at = Math.max(latest, clock.now());
      latest = at;
      underway.set(at, (underway.get(at) ?? 0) + 1);
      return {
        at,
        done() {
          const left = (underway.get(at) ?? 1) - 1;
          if (left === 0) underway.delete(at);
          else underway.set(at, left);
        },
      };
    },
    // Times go up, and a map keeps the order in which they were put in.
    earliest: () => underway.keys().next().value ?? Math.max(latest, clock.now()),
  };
}
