/**
 * Sends what waits for one channel, one notice at a time, the oldest that is due first. A notice is gone from the outbox only once it was taken, or
 * once a day of tries is over; either is a line of the incident's time line.
 *
 * Invariant: what was taken is not sent again by this process, even when that cannot be written down at once.
 */
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Channel, SendOutcome } from './channel.ts';
import { type EntryKind, SYSTEM } from './incident.ts';
import type { IncidentStore } from './incident-store.ts';
import { LONGEST_WAIT_MS, nextTryAt } from './next-try.ts';
import type { Outbox, Waiting } from './outbox.ts';

/** After the record could not be written, in milliseconds. */
const AFTER_FAULT_MS = 60_000;

export interface Delivery {
  /** Says that something may be due. */
  wake(): void;
  /** Lets what is being sent end for `deadlineMs`, then cuts it off. */
  close(deadlineMs: number): Promise<void>;
}

export interface DeliveryParts {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly enter: IncidentStore['enter'];
  /** All of it or none. */
  readonly atOnce: (work: () => void) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createDelivery({ channel, outbox, enter, atOnce, clock, log }: DeliveryParts): Delivery {
  const ended = new AbortController();
  /** What a notice's try came to and could not be written down yet. */
  const unwritten = new Map<number, () => void>();
  let cancelWait = (): void => {};
  let restsUntil = Number.NEGATIVE_INFINITY;
  let running: Promise<void> | undefined;
  let isClosing = false;

  const line = ({ incident, notice }: Waiting, what: EntryKind, text: string): void =>
    enter(incident, { at: clock.now(), who: SYSTEM, what, text: `${channel.name}, ${notice.occasion}: ${text}` });

  const settle = (waiting: Waiting, outcome: SendOutcome): void => {
    const { seq, attempts, createdAt } = waiting;
    if (outcome.outcome === 'sent') {
      outbox.remove(seq);
      line(waiting, 'sent', `taken${attempts === 0 ? '' : ` at try ${attempts + 1}`}${outcome.remark === undefined ? '' : `; ${outcome.remark}`}`);
      return;
    }
    const nextAt = nextTryAt({ createdAt, attempts: attempts + 1, now: clock.now() });
    if (nextAt === undefined) {
      outbox.remove(seq);
      line(waiting, 'given-up', `not taken within a day, at try ${attempts + 1}: ${outcome.reason}`);
      return;
    }
    outbox.postpone(seq, nextAt);
    if (attempts === 0) line(waiting, 'not-sent', `${outcome.reason}. It is tried again for a day`);
  };

  const rest = (outcome: SendOutcome, attempts: number): void => {
    if (outcome.outcome === 'sent') return;
    const { reason, concerns } = outcome;
    log.warn({ channel: channel.name, reason }, 'a notice of an incident could not be sent; it is tried again');
    const now = clock.now();
    if (concerns === 'channel') restsUntil = nextTryAt({ createdAt: now, attempts: attempts + 1, now }) ?? now;
  };

  // A rest that is longer than any was begun before the clock was set back.
  const isResting = (): boolean => restsUntil > clock.now() && restsUntil - clock.now() <= LONGEST_WAIT_MS;

  const tryOne = async (waiting: Waiting): Promise<void> => {
    const done = unwritten.get(waiting.seq);
    if (!done) {
      const outcome = await channel.send(waiting.notice, ended.signal);
      // What the stop cut off was not refused by anybody.
      if (outcome.outcome === 'failed' && ended.signal.aborted) return;
      unwritten.set(waiting.seq, () => atOnce(() => settle(waiting, outcome)));
      rest(outcome, waiting.attempts);
    }
    unwritten.get(waiting.seq)?.();
    unwritten.delete(waiting.seq);
  };

  const sendAll = async (): Promise<void> => {
    try {
      while (!isClosing && !isResting()) {
        const waiting = outbox.due(channel.name, clock.now());
        if (!waiting) break;
        await tryOne(waiting);
      }
    } catch (error) {
      restsUntil = clock.now() + AFTER_FAULT_MS;
      log.error({ channel: channel.name, reason: messageOf(error) }, 'what came of a notice could not be recorded; look at the disk of the data folder');
    }
  };

  const nextDue = (): number | undefined => {
    try {
      return outbox.nextAt(channel.name);
    } catch {
      return clock.now() + AFTER_FAULT_MS;
    }
  };

  const planNext = (): void => {
    cancelWait();
    const nextAt = isClosing ? undefined : nextDue();
    if (nextAt === undefined) return;
    const waitMs = Math.min(Math.max(nextAt, isResting() ? restsUntil : nextAt) - clock.now(), LONGEST_WAIT_MS);
    if (waitMs > 0) cancelWait = clock.after(waitMs, wake);
    else wake();
  };

  const wake = (): void => {
    if (isClosing || running !== undefined) return;
    running = sendAll().finally(() => {
      running = undefined;
      planNext();
    });
  };

  return {
    wake,
    async close(deadlineMs) {
      isClosing = true;
      cancelWait();
      const cancel = clock.after(deadlineMs, () => ended.abort());
      await running;
      cancel();
    },
  };
}
