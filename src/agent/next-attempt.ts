import { readRetryAfter } from '../oms-protocol/retry-after.ts';
import type { Answer } from './connection.ts';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 60_000;
const LONGEST_ASKED_WAIT_MS = 15 * 60_000;
const NOT_APPROVED_WAIT_MS = 30_000;
/** A wait that was asked for gets up to a fifth longer, so that a site's agents do not all come back in one moment. */
const SPREAD = 0.2;

/** What follows from an answer to an upload. `refused`: this batch will never be taken. The waits are in milliseconds. */
export type NextStep =
  | { readonly step: 'acknowledged' }
  | { readonly step: 'refused' }
  | { readonly step: 'not-approved'; readonly waitMs: number }
  | { readonly step: 'retry'; readonly waitMs: number };

export interface Circumstances {
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Between 0 and 1. */
  readonly chance: number;
  /** Who answered: a workspace hears of a new agent from the relay, perhaps a moment after the agent itself. */
  readonly from?: 'relay' | 'workspace';
}

/** Judges an answer; undefined stands for none (no connection, time out). */
export function nextStep(answer: Answer | undefined, { failures, now, chance, from = 'relay' }: Circumstances): NextStep {
  const status = answer?.status ?? 0;
  if (status >= 200 && status < 300) return { step: 'acknowledged' };
  if (status === 400 || status === 413) return { step: 'refused' };
  if (status === 403)
    return { step: 'not-approved', waitMs: spread(from === 'relay' ? NOT_APPROVED_WAIT_MS : Math.min(backOff(failures), NOT_APPROVED_WAIT_MS), chance) };
  const askedMs = status === 429 || status === 503 ? askedWait(answer?.retryAfter, now) : undefined;
  return { step: 'retry', waitMs: spread(askedMs ?? backOff(failures), chance) };
}

/** The wait that Retry-After asks for, kept between 1 s and 15 min; undefined when it asks for none. */
export function askedWait(text: string | undefined, now: number): number | undefined {
  const waitMs = readRetryAfter(text, now);
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, FIRST_WAIT_MS), LONGEST_ASKED_WAIT_MS);
}

// 1 s, 2 s, 4 s … 60 s.
function backOff(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1), LONGEST_WAIT_MS);
}

function spread(waitMs: number, chance: number): number {
  return Math.round(waitMs * (1 + SPREAD * chance));
}
