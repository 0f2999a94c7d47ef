import { type Clock, every } from '../../clock.ts';
import type { Logger } from '../../logger.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
const LOOK_EVERY_MS = 60 * 60 * 1_000;
/** Days ahead of the end at which the operator is told. */
const STEPS = [30, 14, 7, 1] as const;

export interface ExpiryParts {
  /** Milliseconds since 1970; undefined while nobody knows. */
  readonly endsAt: () => number | undefined;
  readonly what: 'certificate' | 'secret';
  readonly clock: Clock;
  readonly log: Logger;
}

/** Looks every hour, and when it is told to. */
export interface ExpiryWatch {
  look(): void;
  stop(): void;
}

/** Warns before a credential ends: at 30, 14, 7 days and 1 day ahead, and once a day when it has ended. */
export function watchExpiry({ endsAt, what, clock, log }: ExpiryParts): ExpiryWatch {
  let told: { readonly endsAt: number; readonly step: number; readonly at: number } | undefined;
  const look = (): void => {
    const [end, now] = [endsAt(), clock.now()];
    const step = end === undefined ? undefined : stepOf(end - now);
    if (end === undefined || step === undefined) return;
    const isNews = told?.endsAt !== end || step < told.step || (step === 0 && now - told.at >= DAY_MS);
    if (!isNews) return;
    told = { endsAt: end, step, at: now };
    const ends = new Date(end).toISOString();
    const next = `make a new ${what} for the application and put it into the same file; it takes effect at once`;
    if (step === 0) log.error({ ends }, `the ${what} that the relay signs in with has ended: ${next}`);
    else log.warn({ ends, days: Math.ceil((end - now) / DAY_MS) }, `the ${what} that the relay signs in with ends soon: ${next}`);
  };
  return { look, stop: every(clock, LOOK_EVERY_MS, look) };
}

/** The smallest step that covers what is left; 0 when nothing is, undefined when there is time. */
export function stepOf(leftMs: number): number | undefined {
  if (leftMs <= 0) return 0;
  return STEPS.findLast((days) => leftMs <= days * DAY_MS);
}
